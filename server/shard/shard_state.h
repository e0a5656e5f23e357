// SPDX-License-Identifier: Apache-2.0
// What a shard has once the model is known. Locks as its members say.
#ifndef CONADV_SERVER_SHARD_SHARD_STATE_H_
#define CONADV_SERVER_SHARD_SHARD_STATE_H_

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/unit_ledger.h"
#include "common/job/job.h"
#include "common/tensor/arena.h"
#include "common/thread/mutex.h"
#include "server/aggregate/aggregator.h"
#include "server/optimize/optimizer.h"
#include "server/shard/apply.h"
#include "server/shard/retry_delays.h"
#include "server/shard/sequencer.h"
#include "server/shard/shard.h"
#include "server/shard/shard_run.h"

namespace conadv {

AggregatorOptions AggregatorOptionsOf(const Job& job, const ShardRun& run);

// Arenas that are worth keeping: of weights, and of averages of them.
size_t KeptArenas(const Job& job);

struct Shard::State {
  // `applied_in`: the units that the weights to come are made of.
  State(const Job& job, uint32_t shard_in, std::shared_ptr<const Run> run_in, Version version,
        UnitLedger applied_in, ThreadPool* pool, ArenaAllocator* allocator)
      : shard(shard_in),
        sync(job.training.sync()),
        run(std::move(run_in)),
        applied(std::move(applied_in)),
        // What a checkpoint holds for a while comes back, and is wanted again for the next.
        arenas(run->layout.arena_size(shard), KeptArenas(job), allocator),
        contributions(run->contribution_size, run->room.all),
        aggregator(AggregatorOptionsOf(job, *run), applied),
        optimizer(MakeOptimizer(job.optimizer, run->layout, shard, version.value(), pool)),
        sequencer(shard == 0 || job.training.sync()) {}

  // The update to measure or to apply, if there is one and nobody is at one: then `applying` is the
  // caller's.
  std::optional<NextUpdate> TakeNext();
  // Whether the contribution may be received now; see Refused.
  absl::Status CheckRoom(const Contribution& contribution) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex);
  // Whether one of the unit's other streams is here.
  bool HasOtherStreamOf(const Contribution& contribution) const;
  // RESOURCE_EXHAUSTED, with the time to stay away.
  absl::Status Refused(const std::string& why, absl::Duration delay) const;

  const uint32_t shard;
  const bool sync;
  const std::shared_ptr<const Run> run;
  UnitLedger applied;  // with the optimizer
  ArenaPool arenas;
  ArenaPool contributions;
  Aggregator aggregator;
  // Guards whose turn it is, not the work: whoever sets `applying` owns the optimizer and the
  // ledger until it clears it.
  Mutex mutex;
  const std::unique_ptr<Optimizer> optimizer;
  Sequencer sequencer ABSL_GUARDED_BY(mutex);
  // What comes before any other: measured, it waits for other shards' norms. Meanwhile nothing
  // moves, and no task runs.
  std::optional<NextUpdate> measured ABSL_GUARDED_BY(mutex);
  RetryDelays retry_delays ABSL_GUARDED_BY(mutex);
  absl::Time refused ABSL_GUARDED_BY(mutex) = absl::InfinitePast();  // for lack of room, the last
  bool applying ABSL_GUARDED_BY(mutex) = false;
  bool initialized ABSL_GUARDED_BY(mutex) = false;
};

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_SHARD_STATE_H_
