// SPDX-License-Identifier: Apache-2.0
// A worker's own totals since its start, which it reports with each heartbeat. Knows neither the
// network nor its messages. Thread-safe.
#ifndef CONADV_WORKER_STATISTICS_STATISTICS_H_
#define CONADV_WORKER_STATISTICS_STATISTICS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/time/time.h"
#include "common/stats/histogram.h"
#include "common/stats/transfer_observer.h"
#include "common/thread/mutex.h"

namespace conadv {

// What a compute thread without work waits for.
enum class WaitCause { kWeights, kAttack, kLease, kPush, kData };
inline constexpr size_t kWaitCauses = 5;

struct WorkerTotals {
  Histogram pull_micros;
  Histogram push_micros;
  std::array<absl::Duration, kWaitCauses> waited;
  absl::Duration busy;
  TransferredBytes pulled_bytes;
  TransferredBytes pushed_bytes;
  uint64_t attack_cache_hits = 0;
  uint64_t attack_pulls = 0;
  uint64_t cached_bytes = 0;
  uint64_t units_done = 0;
  uint64_t attack_examples = 0;

  absl::Duration waited_for(WaitCause cause) const { return waited[static_cast<size_t>(cause)]; }
};

class WorkerStatistics final : public TransferObserver {
 public:
  void Pulled(absl::Duration took, const TransferredBytes& bytes) override;
  void Pushed(absl::Duration took, const TransferredBytes& bytes) override;
  // An attack asked for weights: they were in the cache or under way to it, or had to be pulled for
  // it.
  void AttackWeights(bool cached);
  // Weights that need not be pulled again.
  void Cached(uint64_t bytes);
  void Waited(WaitCause cause, absl::Duration time);
  void Busy(absl::Duration time);
  void Attacked(uint64_t examples);
  void UnitDone();

  WorkerTotals totals() const;

 private:
  mutable Mutex mutex_;
  WorkerTotals totals_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_WORKER_STATISTICS_STATISTICS_H_
