// SPDX-License-Identifier: Apache-2.0
// What all workers of a run said of themselves, added up: sums that never go back, though workers
// end, begin anew and leave. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RECORD_WORKER_SUMS_H_
#define CONADV_SERVER_RECORD_WORKER_SUMS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>

#include "conadv/v1/stats.pb.h"
#include "server/record/seconds_distribution.h"
#include "server/shard/recent_by_name.h"

namespace conadv {

// Of one worker since its start, or of all.
struct WorkerSums {
  enum Field : size_t {
    kNetworkPulledBytes,
    kNetworkPushedBytes,
    kSharedPulledBytes,
    kSharedPushedBytes,
    kCachedBytes,
    kAttackCacheHits,
    kAttackPulls,
    kUnitsDone,
    kAttackExamples,
    kWaitWeightsSeconds,
    kWaitAttackSeconds,
    kWaitLeaseSeconds,
    kWaitPushSeconds,
    kWaitDataSeconds,
    kBusySeconds,
    kFields,
  };
  std::array<double, kFields> values{};
  SecondsDistribution pull;
  SecondsDistribution push;

  // What a worker says that cannot be counts as 0. REQUIRES: its histograms are some.
  static WorkerSums Of(const v1::WorkerStats& stats);
};

class AllWorkerSums {
 public:
  static constexpr uint64_t kMostBytes = 2 << 20;

  // The worker has less than it had: it is another one of the same name. So is one that was not
  // heard for so long that others took its room, and what it had counts twice then.
  void Set(const std::string& worker, const WorkerSums& sums);
  const WorkerSums& all() const { return all_; }
  uint64_t bytes() const { return last_.bytes(); }

 private:
  WorkerSums all_;
  RecentByName<WorkerSums> last_{kMostBytes};
};

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_WORKER_SUMS_H_
