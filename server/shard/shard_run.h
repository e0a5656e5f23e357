// SPDX-License-Identifier: Apache-2.0
// What is fixed for a shard once the model is known, and whether this machine can hold it. Plain
// values.
#ifndef CONADV_SERVER_SHARD_SHARD_RUN_H_
#define CONADV_SERVER_SHARD_SHARD_RUN_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/job/streams.h"
#include "common/plan/plan.h"
#include "common/tensor/layout.h"

namespace conadv {

// How many contributions a shard may hold, of which kind.
struct ContributionRoom {
  uint64_t openings = 0;  // whatever they are
  uint64_t freeing = 0;   // if what comes then frees memory
  uint64_t all = 0;       // if a follower waits for it
};

struct ShardRun {
  Plan plan;
  Layout layout;
  GradientStreams streams;
  Version last;                  // the run's final version
  size_t contribution_size = 0;  // elements of the longest stream
  ContributionRoom room;
  // That processes of this machine may have mapped at a time, which keeps each from being used
  // again; 0: none.
  uint64_t mapped_versions = 0;
};

// For contributions of `bytes` each, one of each stream a unit. A small model's may all come at
// once; a large one's as many as the trees of a step hold on their way up (about log2 of the slots,
// in each stream) beside some that arrive: who comes too early is sent away for a while. Pure.
ContributionRoom ContributionRoomOf(const TrainingOptions& training, uint64_t streams,
                                    uint64_t bytes);

// As many as a worker keeps, and what a slower one and an evaluator may have besides. Where every
// contribution makes a version, each of a few workers has others. Pure.
uint64_t MappedVersionsOf(const TrainingOptions& training, uint32_t retain);

// With versions that may be mapped, if this machine has the memory for that too.
// INVALID_ARGUMENT: the plan cannot be run on so many shards. RESOURCE_EXHAUSTED: this machine has
// not the memory for it.
absl::StatusOr<ShardRun> MakeShardRun(const Job& job, GradientStreams streams, uint32_t shard,
                                      uint32_t shards, const Plan& plan, bool mapped = false);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_SHARD_RUN_H_
