// SPDX-License-Identifier: Apache-2.0
// FREE: the images that passes have left for the next step, at most one batch a slot. A worker that
// is given another slot than before makes them again, to the same bits, from older weights.
// Thread-safe.
#ifndef CONADV_WORKER_COMPUTE_REPLAY_CACHE_H_
#define CONADV_WORKER_COMPUTE_REPLAY_CACHE_H_

#include <map>
#include <memory>

#include "common/base/ids.h"
#include "common/thread/mutex.h"
#include "worker/compute/unit_compute.h"

namespace conadv {

class ReplayCache {
 public:
  // What `unit` will train on. Takes the place of what its slot had.
  void Put(Unit unit, std::shared_ptr<const UnitBatch> batch);
  // nullptr: it is not here.
  std::shared_ptr<const UnitBatch> Find(Unit unit) const;
  void Clear();

 private:
  struct Entry {
    Step step;
    std::shared_ptr<const UnitBatch> batch;
  };
  mutable Mutex mutex_;
  std::map<Slot, Entry> entries_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_REPLAY_CACHE_H_
