// SPDX-License-Identifier: Apache-2.0
// The pushes that are arriving, each of which holds a contribution's room. Thread-safe.
#ifndef CONADV_SERVER_TRANSFER_PUSH_WATCH_H_
#define CONADV_SERVER_TRANSFER_PUSH_WATCH_H_

#include <cstdint>
#include <utility>

#include "common/base/clock.h"
#include "common/base/idle_watch.h"
#include "common/thread/mutex.h"

namespace conadv {

class PushWatch {
 public:
  explicit PushWatch(const Clock* clock) : clock_(clock) {}

  // `evict` may be called until End, with the lock held.
  uint64_t Begin(IdleWatch::Evict evict) {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    idle_.Begin(++last_, std::move(evict), now);
    return last_;
  }
  void OnProgress(uint64_t id) {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    idle_.OnProgress(id, now);
  }
  void End(uint64_t id) {
    MutexLock lock(&mutex_);
    idle_.End(id);
  }
  void EvictIdle(absl::Duration patience) {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    idle_.EvictIdle(now, patience);
  }

 private:
  const Clock* const clock_;
  Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  IdleWatch idle_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_PUSH_WATCH_H_
