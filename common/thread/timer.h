// SPDX-License-Identifier: Apache-2.0
// Runs things later: heartbeats, back-off. Thread-safe. Tests bring a Timer that they step by hand.
#ifndef CONADV_COMMON_THREAD_TIMER_H_
#define CONADV_COMMON_THREAD_TIMER_H_

#include <functional>
#include <map>
#include <memory>
#include <thread>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/thread/mutex.h"

namespace conadv {

class Timer {
 public:
  virtual ~Timer() = default;
  // Calls `run` once, `delay` from now, on the timer's thread. `run` does not block.
  virtual void After(absl::Duration delay, std::function<void()> run) = 0;
};

// One thread. What is pending when it stops is dropped without being run.
class ThreadTimer final : public Timer {
 public:
  ThreadTimer();
  ~ThreadTimer() override;
  void After(absl::Duration delay, std::function<void()> run) override;
  // Waits for what is running; nothing runs afterwards. Not to be called from the timer's thread.
  void Stop();

 private:
  void Loop();

  Mutex mutex_;
  CondVar changed_;
  std::multimap<absl::Time, std::function<void()>> pending_ ABSL_GUARDED_BY(mutex_);
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_THREAD_TIMER_H_
