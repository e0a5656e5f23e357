// SPDX-License-Identifier: Apache-2.0
#include "common/thread/thread_pool.h"

#include <sys/resource.h>

#include <utility>

#include "common/base/clock.h"

namespace conadv {

namespace {

// Of this thread; what it starts inherits it. Linux counts it per thread. Where it is refused, the
// thread is as fast as the others.
void SetPriority(ThreadPriority priority) {
  constexpr int kGivesWay = 10;  // a weight of 110 beside everybody's 1024: sched(7)
  if (priority == ThreadPriority::kBackground) ::setpriority(PRIO_PROCESS, 0, kGivesWay);
}

}  // namespace

ThreadPool::ThreadPool(int threads, ThreadPriority priority) {
  for (int i = 0; i < threads; ++i) {
    threads_.emplace_back([this, priority] {
      SetPriority(priority);
      Loop();
    });
  }
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

uint64_t ThreadPool::oldest_task() const {
  MutexLock lock(&mutex_);
  return running_.empty() ? 0 : *running_.begin();
}

bool ThreadPool::WaitFor(uint64_t task, absl::Duration timeout) {
  const absl::Time until = Clock::Real().Now() + timeout;
  MutexLock lock(&mutex_);
  while (running_.count(task) > 0) {
    const absl::Duration left = until - Clock::Real().Now();
    if (left <= absl::ZeroDuration()) return false;
    ended_.WaitFor(&mutex_, left);
  }
  return true;
}

bool ThreadPool::RunOne() {
  std::function<void()> task;
  uint64_t id;
  {
    MutexLock lock(&mutex_);
    if (tasks_.empty()) return false;
    task = std::move(tasks_.front());
    tasks_.pop_front();
    id = ++begun_;
    running_.insert(id);
  }
  task();
  task = nullptr;
  MutexLock lock(&mutex_);
  running_.erase(id);
  ended_.NotifyAll();
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
