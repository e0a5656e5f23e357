// SPDX-License-Identifier: Apache-2.0
#include "common/base/thread_pool.h"

#include <utility>

namespace conadv {

ThreadPool::ThreadPool(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

ThreadPool::~ThreadPool() {
  {
    MutexLock lock(&mutex_);
    closed_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
}

void ThreadPool::Submit(std::function<void()> task) {
  MutexLock lock(&mutex_);
  tasks_.push_back(std::move(task));
  changed_.NotifyOne();
}

bool ThreadPool::RunOne() {
  std::function<void()> task;
  {
    MutexLock lock(&mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
  }
  task();
  return true;
}

void ThreadPool::Loop() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      while (tasks_.empty() && !closed_) changed_.Wait(&mutex_);
      if (tasks_.empty()) return;
    }
    RunOne();
  }
}

}  // namespace conadv
