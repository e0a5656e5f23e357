// SPDX-License-Identifier: Apache-2.0
#include "common/shared_memory/shared_arenas.h"

#include <glog/logging.h>

#include <utility>

namespace conadv {

SharedArenas* SharedArenas::OfThisProcess() {
  const auto tried = SharedSegment::Create(1);
  if (!tried.ok()) {
    LOG(WARNING) << "no shared memory: " << tried.status().message();
    return nullptr;
  }
  static auto* const arenas = new SharedArenas();  // arenas may go last of all
  return arenas;
}

float* SharedArenas::Allocate(size_t elements) {
  auto made = SharedSegment::Create(elements * sizeof(float));
  if (!made.ok()) {
    {
      MutexLock lock(&mutex_);
      if (!std::exchange(complained_, true)) {
        LOG(WARNING) << "not all arenas can be shared with this machine's processes: "
                     << made.status().message();
      }
    }
    return Heap().Allocate(elements);
  }
  auto* const values = static_cast<float*>((*made)->data());
  MutexLock lock(&mutex_);
  arenas_[values] = {++last_id_, *std::move(made)};
  alive_.insert(last_id_);
  return values;
}

void SharedArenas::Free(float* values, size_t elements) {
  Shared freed;  // unmapped after the lock is gone
  {
    MutexLock lock(&mutex_);
    retired_.erase(values);
    const auto found = arenas_.find(values);
    if (found != arenas_.end()) {
      freed = std::move(found->second);
      alive_.erase(freed.id);
      arenas_.erase(found);
    }
  }
  if (freed.segment == nullptr) Heap().Free(values, elements);
}

bool SharedArenas::MayReuse(const float* values) const {
  MutexLock lock(&mutex_);
  return retired_.count(values) == 0;
}

std::optional<SharedArenas::Shared> SharedArenas::Find(const float* values) const {
  MutexLock lock(&mutex_);
  const auto found = arenas_.find(values);
  if (found == arenas_.end()) return std::nullopt;
  return found->second;
}

bool SharedArenas::Has(uint64_t id) const {
  MutexLock lock(&mutex_);
  return alive_.count(id) > 0;
}

void SharedArenas::Retire(const float* values) {
  MutexLock lock(&mutex_);
  if (arenas_.count(values) > 0) retired_.insert(values);
}

}  // namespace conadv
