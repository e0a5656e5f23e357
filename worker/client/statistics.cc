// SPDX-License-Identifier: Apache-2.0
#include "worker/client/statistics.h"

#include <algorithm>

#include "common/stats/histogram_proto.h"
#include "conadv/v1/stats.pb.h"

namespace conadv {
namespace {

uint64_t Micros(absl::Duration duration) {
  return static_cast<uint64_t>(std::max<int64_t>(absl::ToInt64Microseconds(duration), 0));
}

}  // namespace

void WorkerStatistics::Pulled(absl::Duration took, uint64_t bytes) {
  MutexLock lock(&mutex_);
  pull_micros_.Add(Micros(took));
  pulled_bytes_ += bytes;
}

void WorkerStatistics::Pushed(absl::Duration took, uint64_t bytes) {
  MutexLock lock(&mutex_);
  push_micros_.Add(Micros(took));
  pushed_bytes_ += bytes;
}

void WorkerStatistics::AttackWeights(bool cached) {
  MutexLock lock(&mutex_);
  ++(cached ? attack_cache_hits_ : attack_pulls_);
}

void WorkerStatistics::Cached(uint64_t bytes) {
  MutexLock lock(&mutex_);
  cached_bytes_ += bytes;
}

void WorkerStatistics::Waited(WaitCause cause, absl::Duration time) {
  MutexLock lock(&mutex_);
  waited_[static_cast<size_t>(cause)] += time;
}

void WorkerStatistics::Busy(absl::Duration time) {
  MutexLock lock(&mutex_);
  busy_ += time;
}

void WorkerStatistics::Attacked(uint64_t examples) {
  MutexLock lock(&mutex_);
  attack_examples_ += examples;
}

void WorkerStatistics::UnitDone() {
  MutexLock lock(&mutex_);
  ++units_done_;
}

void WorkerStatistics::Fill(v1::WorkerStats* stats) const {
  const auto waited = [this](WaitCause cause) ABSL_NO_THREAD_SAFETY_ANALYSIS {
    return absl::ToDoubleSeconds(waited_[static_cast<size_t>(cause)]);
  };
  MutexLock lock(&mutex_);
  *stats->mutable_pull_micros() = ToProto(pull_micros_);
  *stats->mutable_push_micros() = ToProto(push_micros_);
  stats->set_wait_weights_seconds(waited(WaitCause::kWeights));
  stats->set_wait_attack_seconds(waited(WaitCause::kAttack));
  stats->set_wait_lease_seconds(waited(WaitCause::kLease));
  stats->set_wait_push_seconds(waited(WaitCause::kPush));
  stats->set_busy_seconds(absl::ToDoubleSeconds(busy_));
  stats->set_pulled_bytes(pulled_bytes_);
  stats->set_pushed_bytes(pushed_bytes_);
  stats->set_attack_cache_hits(attack_cache_hits_);
  stats->set_attack_pulls(attack_pulls_);
  stats->set_cached_bytes(cached_bytes_);
  stats->set_units_done(units_done_);
  stats->set_attack_examples(attack_examples_);
}

}  // namespace conadv
