// SPDX-License-Identifier: Apache-2.0
// A worker's own totals since its start, as it reports them with each heartbeat. Thread-safe.
#ifndef CONADV_WORKER_CLIENT_STATISTICS_H_
#define CONADV_WORKER_CLIENT_STATISTICS_H_

#include <array>
#include <cstdint>

#include "absl/time/time.h"
#include "common/base/mutex.h"
#include "common/stats/histogram.h"

namespace conadv {

namespace v1 {
class WorkerStats;
}  // namespace v1

// What a compute thread without work waits for.
enum class WaitCause { kWeights, kAttack, kLease, kPush };
inline constexpr size_t kWaitCauses = 4;

class WorkerStatistics {
 public:
  void Pulled(absl::Duration took, uint64_t bytes);
  void Pushed(absl::Duration took, uint64_t bytes);
  // An attack asked for weights: they were in the cache or under way to it, or had to be pulled for
  // it.
  void AttackWeights(bool cached);
  // Weights that need not be pulled again.
  void Cached(uint64_t bytes);
  void Waited(WaitCause cause, absl::Duration time);
  void Busy(absl::Duration time);
  void Attacked(uint64_t examples);
  void UnitDone();

  void Fill(v1::WorkerStats* stats) const;

 private:
  mutable Mutex mutex_;
  Histogram pull_micros_ ABSL_GUARDED_BY(mutex_);
  Histogram push_micros_ ABSL_GUARDED_BY(mutex_);
  std::array<absl::Duration, kWaitCauses> waited_ ABSL_GUARDED_BY(mutex_);
  absl::Duration busy_ ABSL_GUARDED_BY(mutex_);
  uint64_t pulled_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t pushed_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t attack_cache_hits_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t attack_pulls_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t cached_bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t units_done_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t attack_examples_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_CLIENT_STATISTICS_H_
