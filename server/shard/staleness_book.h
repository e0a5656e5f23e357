// SPDX-License-Identifier: Apache-2.0
// What each worker contributed and how stale it was, and who made the newest versions. Thread-safe.
#ifndef CONADV_SERVER_SHARD_STALENESS_BOOK_H_
#define CONADV_SERVER_SHARD_STALENESS_BOOK_H_

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/streams.h"
#include "common/stats/histogram.h"
#include "common/thread/mutex.h"
#include "server/aggregate/aggregator.h"
#include "server/shard/recent_by_name.h"

namespace conadv {

class StalenessBook {
 public:
  // Versions, by where they arose: those of `attack` sum up to the histogram's sum, and those of
  // `update` to the other's.
  struct Origins {
    uint64_t attack_lease = 0;    // before the worker had the unit
    uint64_t attack_queue = 0;    // while the unit, and then its images, waited in the worker
    uint64_t attack_compute = 0;  // while the attack was computed
    uint64_t attack_unsaid = 0;   // the worker did not say
    uint64_t update_compute = 0;  // while the gradient was computed and pushed
    uint64_t update_apply = 0;    // while it waited to be applied
  };
  // Of the attack's gradients with those of fresh weights; `units` of them.
  struct Cosines {
    uint64_t units = 0;
    double sum = 0;
    double least = 1;
    double newest = 0;

    double mean() const { return units == 0 ? 0 : sum / static_cast<double>(units); }
  };
  struct Worker {
    Histogram attack;  // versions, one entry a unit
    Histogram update;
    Origins origins;
    Cosines cosines;
    uint64_t accepted = 0;  // contributions' streams
    uint64_t duplicates = 0;
    uint64_t rejected = 0;
  };
  struct VersionRecord {
    Version version;
    Unit unit;
    absl::Time published;
    std::map<std::string, uint32_t> slots_by_worker;
  };
  struct View {
    Worker all;
    std::map<std::string, Worker> workers;
    std::vector<VersionRecord> versions;  // oldest first
  };

  // Remembers the contributors of the newest `versions` versions.
  StalenessBook(size_t versions, GradientStreams streams)
      : versions_kept_(versions), streams_(std::move(streams)) {}

  void AddOutcome(const std::string& worker, PushOutcome outcome);
  void AddRejected(const std::string& worker);
  // `applied_at` is the version that the group was applied to.
  void AddApplied(const std::vector<Contribution>& contributions, const Unit& unit,
                  Version applied_at, absl::Time published);

  View Read() const;
  // Without the workers.
  Worker all() const;
  struct Means {
    double attack = 0;
    double update = 0;
  };
  Means means() const;
  // That the workers take, of kMostBytes: names come from peers, and those that contributed nothing
  // for the longest make room.
  uint64_t bytes() const;
  static constexpr uint64_t kMostBytes = 2 << 20;

 private:
  template <class Change>
  void Count(const std::string& name, const Change& change) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const size_t versions_kept_;
  const GradientStreams streams_;
  mutable Mutex mutex_;
  Worker all_ ABSL_GUARDED_BY(mutex_);
  RecentByName<Worker> workers_ ABSL_GUARDED_BY(mutex_){kMostBytes};
  std::deque<VersionRecord> versions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_STALENESS_BOOK_H_
