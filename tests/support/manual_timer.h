// SPDX-License-Identifier: Apache-2.0
// A timer that runs what is pending when the test says so. Thread-safe.
#ifndef CONADV_TESTS_SUPPORT_MANUAL_TIMER_H_
#define CONADV_TESTS_SUPPORT_MANUAL_TIMER_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <utility>

#include "absl/time/time.h"
#include "common/thread/mutex.h"
#include "common/thread/timer.h"

namespace conadv {

class ManualTimer final : public Timer {
 public:
  void After(absl::Duration delay, std::function<void()> run) override {
    MutexLock lock(&mutex_);
    pending_.push_back({delay, std::move(run)});
    changed_.NotifyAll();
  }

  size_t pending() const {
    MutexLock lock(&mutex_);
    return pending_.size();
  }
  // Waits until something is pending, and says for how long it was to wait.
  absl::Duration AwaitPending() {
    MutexLock lock(&mutex_);
    while (pending_.empty()) changed_.Wait(&mutex_);
    return pending_.front().delay;
  }
  // The oldest. REQUIRES: something is pending.
  void RunNext() {
    std::function<void()> run;
    {
      MutexLock lock(&mutex_);
      run = std::move(pending_.front().run);
      pending_.pop_front();
    }
    run();
  }

 private:
  struct Entry {
    absl::Duration delay;
    std::function<void()> run;
  };

  mutable Mutex mutex_;
  CondVar changed_;
  std::deque<Entry> pending_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_MANUAL_TIMER_H_
