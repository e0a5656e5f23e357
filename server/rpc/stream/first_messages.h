// SPDX-License-Identifier: Apache-2.0
// Calls that peers have begun and said nothing on: each is one of the calls that a connection may
// have, and none may be held for nothing. Thread-safe.
#ifndef CONADV_SERVER_RPC_STREAM_FIRST_MESSAGES_H_
#define CONADV_SERVER_RPC_STREAM_FIRST_MESSAGES_H_

#include <cstdint>
#include <utility>

#include "common/base/clock.h"
#include "common/base/idle_watch.h"
#include "common/thread/mutex.h"

namespace conadv {

class FirstMessages {
 public:
  // `clock` outlives it. A call that has said nothing for `patience` is ended.
  FirstMessages(const Clock* clock, absl::Duration patience) : clock_(clock), patience_(patience) {}

  absl::Duration patience() const { return patience_; }
  // `end` may be called until End, once and with the lock held: it brings the call to its end, and
  // calls nothing of this.
  uint64_t Begin(IdleWatch::Evict end) {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    silent_.Begin(++last_, std::move(end), now);
    return last_;
  }
  // It has said something, or is over. Again: no effect.
  void End(uint64_t id) {
    MutexLock lock(&mutex_);
    silent_.End(id);
  }
  // Call it now and then.
  void EndSilent() {
    const absl::Time now = clock_->Now();
    MutexLock lock(&mutex_);
    silent_.EvictIdle(now, patience_);
  }

 private:
  const Clock* const clock_;
  const absl::Duration patience_;
  Mutex mutex_;
  uint64_t last_ ABSL_GUARDED_BY(mutex_) = 0;
  IdleWatch silent_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_STREAM_FIRST_MESSAGES_H_
