// SPDX-License-Identifier: Apache-2.0
// Takes granted units through the loading of their examples, the attack and the passes of all
// streams, and pushes each gradient as soon as it is there. unit_plan.h decides; this carries it
// out. Thread-safe; events come on any thread, never with a lock held.
#ifndef CONADV_WORKER_SCHEDULE_PIPELINE_H_
#define CONADV_WORKER_SCHEDULE_PIPELINE_H_

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "client/transfer/contribution_sink.h"
#include "common/tensor/arena.h"
#include "common/thread/mutex.h"
#include "worker/compute/unit_compute.h"
#include "worker/schedule/attack_origins.h"
#include "worker/schedule/executor.h"
#include "worker/schedule/unit_plan.h"
#include "worker/schedule/weight_cache.h"
#include "worker/statistics/statistics.h"

namespace conadv {

struct PipelineEvents {
  // Every shard of that lineage has acknowledged all of the unit's contributions.
  std::function<void(Unit, Lineage lineage)> done;
  // This unit cannot be computed, or the servers refuse what comes out of it. It is no longer in
  // hand.
  std::function<void(Unit, Lineage lineage, const absl::Status&)> failed;
  // A server is away, was restarted, or has another version than the run: the session has to be
  // made anew. Once until the next Drop().
  std::function<void(const absl::Status&)> broken;
  // After Drain(): nothing is in hand any more. Once.
  std::function<void()> drained;
};

class Pipeline {
 public:
  // What the pointers show outlives the pipeline; the pipeline outlives the executor's tasks, the
  // cache's pulls and the sink's pushes.
  struct Parts {
    WeightCache* cache = nullptr;
    ContributionSink* sink = nullptr;
    UnitCompute* compute = nullptr;
    Executor* executor = nullptr;
    Executor* loaders = nullptr;  // threads that are not the lanes'
    ArenaPool* gradients = nullptr;
    WorkerStatistics* statistics = nullptr;
  };
  // `slot_size`: examples of a unit.
  Pipeline(const PlanOptions& options, uint32_t slot_size, const Parts& parts,
           PipelineEvents events);

  // Takes units of this lineage in hand; those it has already are ignored, and all while it drains.
  void Grant(const std::vector<Unit>& units, Lineage lineage);
  // What was set while the run went on. Before any unit that it changes is granted.
  void SetTau(TauChanges changes);
  // Forgets the units none of whose gradients is being computed, and takes no new ones.
  void Drain();
  // Forgets all units; what they have under way comes to nothing. First of all, before the cache
  // is cleared and calls are cancelled: what fails for a unit in hand breaks the session.
  void Drop();

  size_t units_in_hand() const;

 private:
  struct Work {
    UnitProgress progress;
    Lineage lineage;
    std::shared_ptr<const Arena> update_weights;
    std::shared_ptr<const Arena> attack_weights;
    // FREE: of the batch's updates so far, the oldest first, and how many are still to come.
    std::vector<std::shared_ptr<const Arena>> replay_weights;
    size_t missing_replays = 0;
    std::shared_ptr<const UnitBatch> loaded;    // as long as anything takes them
    std::shared_ptr<const UnitBatch> attacked;  // likewise
    size_t pushed = 0;                          // streams that every shard has
    VersionsSeen seen;
  };
  using WorkPtr = std::shared_ptr<Work>;

  // Begins everything that may begin now.
  void Advance();
  // Brings the lists that NextActions looks at up to date.
  void ListUnits() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(const WorkPtr& work) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Perform(const WorkPtr& work, const Action& action);
  void AskAttackWeights(const WorkPtr& work, Version version);
  void AskReplayWeights(const WorkPtr& work, Version first);
  void OnUpdateWeights(const WorkPtr& work, const absl::StatusOr<VersionedWeights>& weights);
  void OnAttackWeights(const WorkPtr& work, const absl::StatusOr<VersionedWeights>& weights);
  void RunLoad(const WorkPtr& work);
  void RunAttack(const WorkPtr& work, int lane);
  void RunPass(const WorkPtr& work, StreamIndex stream, int lane);
  // What the attack's staleness did, if the unit measures it.
  std::optional<float> MeasureAttack(const Unit& unit, const UnitBatch& attacked,
                                     const std::shared_ptr<const Arena>& weights, int lane);
  class PassPush;
  void OnPushed(const WorkPtr& work, const absl::Status& status);
  void Fail(const WorkPtr& work, const absl::Status& status);
  // What becomes of a unit whose weights cannot be had.
  void OnNoWeights(const WorkPtr& work, const absl::Status& status);
  void Break(const WorkPtr& work, const absl::Status& status);
  // Reports that the pipeline has drained, if it has.
  void CheckDrained();
  bool InHand(const WorkPtr& work) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  PlanOptions options_;  // but for tau_changes never changed
  const uint32_t slot_size_;
  const Parts parts_;
  const PipelineEvents events_;
  mutable Mutex mutex_;
  std::map<Unit, WorkPtr> units_ ABSL_GUARDED_BY(mutex_);
  // The same by rising unit, made anew when units came or went: there are many more events.
  bool listed_ ABSL_GUARDED_BY(mutex_) = false;
  std::vector<WorkPtr> works_ ABSL_GUARDED_BY(mutex_);
  std::vector<const UnitProgress*> progress_ ABSL_GUARDED_BY(mutex_);
  SeenVersions seen_ ABSL_GUARDED_BY(mutex_);
  size_t in_flight_ ABSL_GUARDED_BY(mutex_) = 0;  // gradients, of dropped units too
  bool draining_ ABSL_GUARDED_BY(mutex_) = false;
  bool drained_ ABSL_GUARDED_BY(mutex_) = false;
  bool broken_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace conadv

#endif  // CONADV_WORKER_SCHEDULE_PIPELINE_H_
