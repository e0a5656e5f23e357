// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads that run tasks in the order they came. The queue is not bounded:
// whoever submits admits no more work than it has memory for. Thread-safe.
#ifndef CONADV_COMMON_BASE_THREAD_POOL_H_
#define CONADV_COMMON_BASE_THREAD_POOL_H_

#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/mutex.h"

namespace conadv {

class ThreadPool {
 public:
  // With 0 threads nothing runs by itself: tests step it with RunOne().
  explicit ThreadPool(int threads);
  // Runs what was submitted, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Submit(std::function<void()> task);
  // Runs the next task on this thread; false if there is none.
  bool RunOne();

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_THREAD_POOL_H_
