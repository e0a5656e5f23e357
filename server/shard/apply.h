// SPDX-License-Identifier: Apache-2.0
// One update of one shard: what the optimizer is told, and what is remembered of it. Pure but for
// the optimizer's state.
#ifndef CONADV_SERVER_SHARD_APPLY_H_
#define CONADV_SERVER_SHARD_APPLY_H_

#include <memory>
#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/tensor/arena.h"
#include "server/aggregate/aggregator.h"
#include "server/optimize/optimizer.h"
#include "server/snapshot/store.h"

namespace conadv {

// One update, as it was applied.
struct AppliedUpdate {
  Version version;  // that it made
  Unit unit;        // its slot is 0 in SYNC
  double rate = 0;
  UpdateNorms norms;
  // Where the job clips by it: of the combined gradient on all shards, before clipping.
  std::optional<double> gradient_norm;
  std::vector<Contribution> contributions;
  double attack_staleness = 0;  // means over the contributions
  double update_staleness = 0;
  std::optional<double> attack_cosine;  // likewise, of those that have one
  absl::Time published;                 // wall clock
};

// The oldest weights that a gradient in the group was computed with. REQUIRES: contributions.
Version OldestUpdateVersion(const ClosedGroup& group);

// An update that is to be applied. Where the job clips by the norm of all shards' gradient, that
// comes first.
struct NextUpdate {
  ClosedGroup group;
  std::vector<Measured> measured;  // this shard's tensors, once there is no more to wait for but
  std::optional<double> norm;      // the norm
};

// What the optimizer is told of a group. The rate is the schedule's at step floor(version / updates
// per step); with training.damping it is divided by 1 + the update staleness. `used` is the
// snapshot of OldestUpdateVersion(group), for delay compensation. All outlive the update.
Update UpdateOf(const Job& job, const GradientStreams& streams, uint64_t steps,
                const ClosedGroup& group, const Snapshot& current, const Snapshot& used);

// Writes the weights of version current.version + 1 to `arena`, the shard's whole. Clips by the
// norm of all shards if there is one. `published` is left to the caller.
AppliedUpdate ApplyNext(const Job& job, const GradientStreams& streams, uint64_t steps,
                        const NextUpdate& next, const Snapshot& current, const Snapshot& used,
                        Optimizer& optimizer, float* arena);

// The average that goes with the weights of version current.version + 1; nullptr if the job keeps
// none. REQUIRES: `current` has its own, if the job keeps one.
std::shared_ptr<const Arena> NextAverage(const OptimizerOptions& options, const Snapshot& current,
                                         const Arena& weights, ArenaPool* arenas);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_APPLY_H_
