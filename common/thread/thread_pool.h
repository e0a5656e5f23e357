// SPDX-License-Identifier: Apache-2.0
// A fixed number of threads that run tasks in the order they came. The queue is not bounded:
// whoever submits admits no more work than it has memory for. Thread-safe.
#ifndef CONADV_COMMON_THREAD_THREAD_POOL_H_
#define CONADV_COMMON_THREAD_THREAD_POOL_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <set>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/thread/mutex.h"

namespace conadv {

enum class ThreadPriority {
  kNormal,
  // Gives way to threads that want the processor: about a tenth of a core while all are busy.
  kBackground,
};

class ThreadPool {
 public:
  // With 0 threads nothing runs by itself: tests step it with RunOne().
  explicit ThreadPool(int threads, ThreadPriority priority = ThreadPriority::kNormal);
  // Runs what was submitted, then joins.
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  void Submit(std::function<void()> task);
  size_t size() const { return threads_.size(); }
  // Runs the next task on this thread; false if there is none.
  bool RunOne();
  // A number of the task that has been running for the longest; 0: none is.
  uint64_t oldest_task() const;
  // Waits for that task's end. False if `timeout` has passed first.
  bool WaitFor(uint64_t task, absl::Duration timeout);

 private:
  void Loop();

  mutable Mutex mutex_;
  CondVar changed_;
  CondVar ended_;
  uint64_t begun_ ABSL_GUARDED_BY(mutex_) = 0;
  std::set<uint64_t> running_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::function<void()>> tasks_ ABSL_GUARDED_BY(mutex_);
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_THREAD_THREAD_POOL_H_
