// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/replay_cache.h"

#include <utility>

namespace conadv {

void ReplayCache::Put(Unit unit, std::shared_ptr<const UnitBatch> batch) {
  std::shared_ptr<const UnitBatch> before;  // freed outside the lock
  MutexLock lock(&mutex_);
  Entry& entry = entries_[unit.slot];
  before = std::exchange(entry.batch, std::move(batch));
  entry.step = unit.step;
}

std::shared_ptr<const UnitBatch> ReplayCache::Find(Unit unit) const {
  MutexLock lock(&mutex_);
  const auto found = entries_.find(unit.slot);
  if (found == entries_.end() || found->second.step != unit.step) return nullptr;
  return found->second.batch;
}

void ReplayCache::Clear() {
  std::map<Slot, Entry> entries;  // freed outside the lock
  MutexLock lock(&mutex_);
  entries.swap(entries_);
}

}  // namespace conadv
