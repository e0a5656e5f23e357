// SPDX-License-Identifier: Apache-2.0
// What is fixed for a shard once the model is known, and whether this machine can hold it. Plain
// values.
#ifndef CONADV_SERVER_SHARD_RUN_H_
#define CONADV_SERVER_SHARD_RUN_H_

#include <cstddef>
#include <cstdint>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/job/plan.h"
#include "common/tensor/layout.h"

namespace conadv {

struct ShardRun {
  Plan plan;
  Layout layout;
  Version last;                     // the run's final version
  size_t contribution_size = 0;     // elements of the longer stream
  uint64_t most_contributions = 0;  // arenas of contributions that may exist at a time
  uint64_t most_openings = 0;       // of those, for units of which nothing is here yet
};

// INVALID_ARGUMENT: the plan cannot be run on so many shards. RESOURCE_EXHAUSTED: this machine has
// not the memory for it.
absl::StatusOr<ShardRun> MakeShardRun(const Job& job, uint32_t shard, uint32_t shards,
                                      const Plan& plan);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RUN_H_
