// SPDX-License-Identifier: Apache-2.0
#include "common/thread/timer.h"

#include <utility>

namespace conadv {

ThreadTimer::ThreadTimer() : thread_([this] { Loop(); }) {}

ThreadTimer::~ThreadTimer() { Stop(); }

void ThreadTimer::After(absl::Duration delay, std::function<void()> run) {
  MutexLock lock(&mutex_);
  if (stopped_) return;
  pending_.emplace(Clock::Real().Now() + delay, std::move(run));
  changed_.NotifyOne();
}

void ThreadTimer::Stop() {
  std::multimap<absl::Time, std::function<void()>> dropped;  // freed outside the lock
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
    dropped.swap(pending_);
    changed_.NotifyOne();
  }
  if (thread_.joinable()) thread_.join();
}

void ThreadTimer::Loop() {
  for (;;) {
    std::function<void()> run;
    {
      MutexLock lock(&mutex_);
      for (;;) {
        if (stopped_) return;
        if (pending_.empty()) {
          changed_.Wait(&mutex_);
          continue;
        }
        const absl::Duration left = pending_.begin()->first - Clock::Real().Now();
        if (left <= absl::ZeroDuration()) break;
        changed_.WaitFor(&mutex_, left);
      }
      run = std::move(pending_.begin()->second);
      pending_.erase(pending_.begin());
    }
    run();
  }
}

}  // namespace conadv
