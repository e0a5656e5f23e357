// SPDX-License-Identifier: Apache-2.0
// What a checkpoint holds beside the weights, put where a shard has it. FAILED_PRECONDITION: the
// checkpoint is of another model, optimizer or number of shards.
#ifndef CONADV_SERVER_SHARD_RESTORED_STATE_H_
#define CONADV_SERVER_SHARD_RESTORED_STATE_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "server/checkpoint/checkpoint.h"
#include "server/optimize/optimizer.h"
#include "server/snapshot/store.h"

namespace conadv {

absl::Status CopyOptimizerState(const RestoredCheckpoint& checkpoint, Optimizer& optimizer);
// By version; the last is the checkpoint's, with its average if the job keeps one. `arenas` are as
// long as the shard's whole.
absl::StatusOr<std::vector<Snapshot>> PlaceVersions(const RestoredCheckpoint& checkpoint,
                                                    const Layout& layout, uint32_t shard,
                                                    bool averaged, absl::Time now,
                                                    ArenaPool* arenas);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RESTORED_STATE_H_
