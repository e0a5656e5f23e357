// SPDX-License-Identifier: Apache-2.0
// Which checkpoints a shard has, and which it keeps. No threads, no state.
#ifndef CONADV_SERVER_CHECKPOINT_RETENTION_H_
#define CONADV_SERVER_CHECKPOINT_RETENTION_H_

#include <cstddef>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/file.h"
#include "common/base/ids.h"
#include "server/checkpoint/checkpoint.h"
#include "server/checkpoint/paths.h"

namespace conadv {

// Versions whose manifest is there and whose files have the sizes it says, newest first. None if
// there is no directory. What is in the files is for ReadCheckpoint to verify.
absl::StatusOr<std::vector<Version>> CompleteCheckpoints(const FileSystem& files,
                                                         const CheckpointOwner& owner);

// Removes what this shard has but the newest `keep` complete checkpoints, those of version 0 and of
// `common`: incomplete ones too, so none may be in writing.
absl::Status PruneCheckpoints(const FileSystem& files, const CheckpointOwner& owner, size_t keep,
                              const std::vector<Version>& common);

// Removes what this shard has of versions after `version`: when a run goes back to `version`, what
// it made after that must not be mixed with what it will make.
absl::Status RemoveCheckpointsAfter(const FileSystem& files, const CheckpointOwner& owner,
                                    Version version);

// Removes what this shard has of a version, or of all.
absl::Status RemoveCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                              Version version);
absl::Status RemoveAllCheckpoints(const FileSystem& files, const CheckpointOwner& owner);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_RETENTION_H_
