// SPDX-License-Identifier: Apache-2.0
// Waits for one record of a log after another, for somebody who may give up while a record comes.
// Thread-safe; lives until it has answered or Cancel was true.
#ifndef CONADV_SERVER_RECORD_LOG_FOLLOWER_H_
#define CONADV_SERVER_RECORD_LOG_FOLLOWER_H_

#include <cstdint>
#include <utility>

#include "common/thread/mutex.h"
#include "server/record/watch_log.h"

namespace conadv {

template <class Record>
class LogFollower {
 public:
  // `log` outlives it. Begins with record `from`, or the oldest that is kept.
  LogFollower(WatchLog<Record>* log, uint64_t from) : log_(log), next_(from) {}

  // Calls `callback` once, perhaps at once, with the next record, unless Cancel is true first.
  // True: it was cancelled before or meanwhile, and `callback` will never be called.
  bool Await(typename WatchLog<Record>::Callback callback) {
    uint64_t round;
    {
      MutexLock lock(&mutex_);
      wait_ = 0;
      round = ++round_;
    }
    const uint64_t id = log_->Get(next_, std::move(callback));
    {
      MutexLock lock(&mutex_);
      // It came, and maybe the next one was asked for.
      if (id == 0 || round != round_) return false;
      wait_ = id;
      if (!cancelled_) return false;
    }
    return log_->Cancel(id);
  }
  // The record with this index has come.
  void OnRecord(uint64_t index) { next_ = index + 1; }
  // True: the callback of the wait under way will never be called.
  bool Cancel() {
    uint64_t id;
    {
      MutexLock lock(&mutex_);
      cancelled_ = true;
      id = wait_;
    }
    return id != 0 && log_->Cancel(id);
  }

 private:
  WatchLog<Record>* const log_;
  uint64_t next_;
  Mutex mutex_;
  uint64_t wait_ ABSL_GUARDED_BY(mutex_) = 0;  // 0: none that could be cancelled
  uint64_t round_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_LOG_FOLLOWER_H_
