// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds beside the weights, put where a shard has it. FAILED_PRECONDITION: the
// checkpoint is of another model, optimizer or number of shards.
#ifndef CONADV_SERVER_SHARD_RESTORED_STATE_H_
#define CONADV_SERVER_SHARD_RESTORED_STATE_H_

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "server/checkpoint/checkpoint.h"
#include "server/optimize/optimizer.h"

namespace conadv {

absl::Status CopyOptimizerState(const RestoredCheckpoint& checkpoint, Optimizer& optimizer);
// `arena` is the shard's whole, in both.
absl::Status CopyOlder(const CheckpointVersion& older, absl::Span<float> arena);
absl::Status CopyAverage(const RestoredCheckpoint& checkpoint, absl::Span<float> arena);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RESTORED_STATE_H_
