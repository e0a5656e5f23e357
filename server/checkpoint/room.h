// SPDX-License-Identifier: Apache-2.0
// Whether there is room for the next checkpoint.
#ifndef CONADV_SERVER_CHECKPOINT_ROOM_H_
#define CONADV_SERVER_CHECKPOINT_ROOM_H_

#include <cstdint>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "server/checkpoint/paths.h"

namespace conadv {

struct CheckpointRoom {
  uint64_t checkpoint_bytes = 0;  // that one checkpoint of this shard takes; 0: not known
  uint64_t free_bytes = 0;        // on its disk
};

// After `version` was written. Blocks as the disk does. NOT_FOUND: it is not there.
absl::StatusOr<CheckpointRoom> MeasureRoom(const FileSystem& files, const CheckpointOwner& owner,
                                           Version version);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_ROOM_H_
