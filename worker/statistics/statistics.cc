// SPDX-License-Identifier: Apache-2.0
#include "worker/statistics/statistics.h"

#include <algorithm>

namespace conadv {
namespace {

uint64_t Micros(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(duration), 0));
}

void Add(const TransferredBytes& more, TransferredBytes* bytes) {
  bytes->network += more.network;
  bytes->shared += more.shared;
}

}  // namespace

void WorkerStatistics::Pulled(absl::Duration took, const TransferredBytes& bytes) {
  MutexLock lock(&mutex_);
  totals_.pull_micros.Add(Micros(took));
  Add(bytes, &totals_.pulled_bytes);
}

void WorkerStatistics::Pushed(absl::Duration took, const TransferredBytes& bytes) {
  MutexLock lock(&mutex_);
  totals_.push_micros.Add(Micros(took));
  Add(bytes, &totals_.pushed_bytes);
}

void WorkerStatistics::AttackWeights(bool cached) {
  MutexLock lock(&mutex_);
  ++(cached ? totals_.attack_cache_hits : totals_.attack_pulls);
}

void WorkerStatistics::Cached(uint64_t bytes) {
  MutexLock lock(&mutex_);
  totals_.cached_bytes += bytes;
}

void WorkerStatistics::Waited(WaitCause cause, absl::Duration time) {
  MutexLock lock(&mutex_);
  totals_.waited[static_cast<size_t>(cause)] += time;
}

void WorkerStatistics::Busy(absl::Duration time) {
  MutexLock lock(&mutex_);
  totals_.busy += time;
}

void WorkerStatistics::Attacked(uint64_t examples) {
  MutexLock lock(&mutex_);
  totals_.attack_examples += examples;
}

void WorkerStatistics::UnitDone() {
  MutexLock lock(&mutex_);
  ++totals_.units_done;
}

WorkerTotals WorkerStatistics::totals() const {
  MutexLock lock(&mutex_);
  return totals_;
}

}  // namespace conadv
