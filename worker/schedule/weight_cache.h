// SPDX-License-Identifier: Apache-2.0
// The versions of the weights that this worker has, and the door through which it gets others: each
// is pulled once, however many ask for it. Thread-safe; `done` comes on any thread, at once if the
// version is there.
#ifndef CONADV_WORKER_SCHEDULE_WEIGHT_CACHE_H_
#define CONADV_WORKER_SCHEDULE_WEIGHT_CACHE_H_

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "client/transfer/weight_source.h"
#include "common/thread/mutex.h"
#include "worker/statistics/statistics.h"

namespace conadv {

enum class WeightUse { kUpdate, kAttack };

class WeightCache {
 public:
  using Done = WeightSource::Done;

  // Keeps the `capacity` newest versions: τ + 2 hold those of the steps in hand. `source` and
  // `statistics` outlive the cache; the cache outlives every pull.
  WeightCache(WeightSource* source, size_t capacity, WorkerStatistics* statistics);

  // This version; the source's error if it cannot be had.
  void Get(Version version, WeightUse use, Done done);
  // What the selector says now, asked of the source; those who ask the same while it is under way
  // share the answer.
  void GetNow(const PullSelector& selector, Done done);

  // Forgets everything. Who waits gets CANCELLED, and what is under way will not be kept.
  void Clear();

 private:
  using Key = std::pair<PullSelector::Kind, uint64_t>;

  void Land(uint64_t generation, const Key& key, const absl::StatusOr<VersionedWeights>& weights);

  WeightSource* const source_;
  const size_t capacity_;
  WorkerStatistics* const statistics_;
  Mutex mutex_;
  std::map<Version, std::shared_ptr<const Arena>> versions_ ABSL_GUARDED_BY(mutex_);
  std::map<Key, std::vector<Done>> waiting_ ABSL_GUARDED_BY(mutex_);  // of each pull under way
  uint64_t generation_ ABSL_GUARDED_BY(mutex_) = 0;                   // counts Clear()
};

}  // namespace conadv

#endif  // CONADV_WORKER_SCHEDULE_WEIGHT_CACHE_H_
