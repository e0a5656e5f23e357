// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/room.h"

#include <string>

#include "common/base/status_macros.h"
#include "common/os/disk_space.h"

namespace conadv {

absl::StatusOr<CheckpointRoom> MeasureRoom(const FileSystem& files, const CheckpointOwner& owner,
                                           Version version) {
  CheckpointRoom room;
  const std::string directory = ShardPath(owner, version);
  for (const char* name : {kWeightsFile, kOptimizerFile, kManifestFile}) {
    const std::string path = directory + "/" + name;
    if (!files.Exists(path)) continue;  // a plain rule has no state
    CONADV_ASSIGN_OR_RETURN(const uint64_t size, files.Size(path));
    room.checkpoint_bytes += size;
  }
  CONADV_ASSIGN_OR_RETURN(room.free_bytes, FreeBytes(directory));
  return room;
}

}  // namespace conadv
