// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/executor.h"

#include <pthread.h>

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {

Executor::Executor(int lanes, size_t capacity, const std::function<void()>& prepare,
                   WorkerStatistics* statistics, const Clock& clock, const std::string& name)
    : capacity_(capacity), statistics_(statistics), clock_(clock), booked_(clock.Now()) {
  threads_.reserve(lanes);
  for (int lane = 0; lane < lanes; ++lane) {
    threads_.emplace_back([this, lane, name, prepare] { Loop(lane, name, prepare); });
  }
}

Executor::~Executor() { Stop(); }

absl::Status Executor::Submit(Priority priority, Unit unit, Task task) {
  MutexLock lock(&mutex_);
  if (stopped_) return absl::CancelledError("the executor is stopped");
  if (queue_.size() >= capacity_) {
    return absl::ResourceExhaustedError("the compute queue is full");
  }
  queue_.emplace(Key(priority, unit, arrivals_++), std::move(task));
  changed_.NotifyOne();
  return absl::OkStatus();
}

void Executor::SetWaitCause(WaitCause cause) {
  MutexLock lock(&mutex_);
  if (cause == cause_) return;
  Book();
  cause_ = cause;
}

void Executor::Stop() {
  {
    std::map<Key, Task> dropped;  // freed outside the lock, and before the wait
    MutexLock lock(&mutex_);
    stopped_ = true;
    dropped.swap(queue_);
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

void Executor::Loop(int lane, const std::string& name, const std::function<void()>& prepare) {
  pthread_setname_np(pthread_self(), absl::StrCat(name, "-", lane).c_str());
  if (prepare) prepare();
  for (;;) {
    Task task;
    {
      MutexLock lock(&mutex_);
      Book();
      ++idle_;
      while (!stopped_ && queue_.empty()) changed_.Wait(&mutex_);
      Book();
      --idle_;
      if (stopped_) return;
      task = std::move(queue_.begin()->second);
      queue_.erase(queue_.begin());
      ++busy_;
    }
    task(lane);
    task = nullptr;  // what it holds goes before the next is taken
    MutexLock lock(&mutex_);
    Book();
    --busy_;
  }
}

void Executor::Book() {
  const absl::Time now = clock_.Now();
  const absl::Duration time = now - booked_;
  booked_ = now;
  if (statistics_ == nullptr) return;
  if (idle_ > 0) statistics_->Waited(cause_, time * idle_);
  if (busy_ > 0) statistics_->Busy(time * busy_);
}

}  // namespace conadv
