// SPDX-License-Identifier: Apache-2.0
// The arenas that processes of this machine have mapped, each by any number of them: so many at a
// time, as each may outlive its version's eviction. Thread-safe.
#ifndef CONADV_SERVER_TRANSFER_SHARED_MEMORY_LEASE_BOOK_H_
#define CONADV_SERVER_TRANSFER_SHARED_MEMORY_LEASE_BOOK_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>

#include "common/tensor/arena.h"
#include "common/thread/mutex.h"

namespace conadv {

class LeaseBook {
 public:
  // False: `most` others are leased already.
  bool Add(const Arena* arena, uint64_t most) {
    MutexLock lock(&mutex_);
    const auto found = leases_.find(arena);
    if (found != leases_.end()) {
      ++found->second;
      return true;
    }
    refused_ = refused_ || leases_.size() >= most;
    if (leases_.size() >= most) return false;
    leases_[arena] = 1;
    return true;
  }
  // REQUIRES: it was added, and not removed as often.
  void Remove(const Arena* arena) {
    MutexLock lock(&mutex_);
    const auto found = leases_.find(arena);
    if (--found->second == 0) leases_.erase(found);
  }
  // Whether somebody found no room since this was asked last.
  bool TakeRefused() {
    MutexLock lock(&mutex_);
    return std::exchange(refused_, false);
  }
  size_t arenas() const {
    MutexLock lock(&mutex_);
    return leases_.size();
  }

 private:
  mutable Mutex mutex_;
  std::map<const Arena*, uint64_t> leases_ ABSL_GUARDED_BY(mutex_);
  bool refused_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_SERVER_TRANSFER_SHARED_MEMORY_LEASE_BOOK_H_
