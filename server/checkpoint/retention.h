// SPDX-License-Identifier: Apache-2.0
// Which checkpoints a shard has, and which it keeps. Nothing is removed but what this run itself
// has made and has a successor for; whatever else is in the way is set aside. No threads, no state.
#ifndef CONADV_SERVER_CHECKPOINT_RETENTION_H_
#define CONADV_SERVER_CHECKPOINT_RETENTION_H_

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "server/checkpoint/identity.h"
#include "server/checkpoint/paths.h"

namespace conadv {

struct StoredCheckpoints {
  // Whose manifest is there and whose files have the sizes it says, newest first. What is in the
  // files is for ReadCheckpoint to verify.
  std::vector<CheckpointId> usable;
  // At the path of a checkpoint, but not to be used: damaged, or `check_job` has said so.
  std::vector<RefusedCheckpoint> refused;
  // Set aside earlier, with the reason of that time.
  std::vector<RefusedCheckpoint> aside;
  // Without a manifest: its writer was interrupted.
  std::vector<Version> torn;
};

// Nothing if there is no directory. One that cannot be read now is an error: what to think of it is
// not for us. `check_job` says whether a job (text) is the run's.
absl::StatusOr<StoredCheckpoints> ScanCheckpoints(
    const FileSystem& files, const CheckpointOwner& owner,
    const std::function<absl::Status(absl::string_view job)>& check_job);

// Where a run's line of checkpoints stands.
struct RetentionState {
  size_t keep = 1;
  std::vector<Version> common;  // the newest that every shard has, by rising version
  Lineage lineage;
  Version first;  // what the lineage began with: it and what came before are its ancestors'
};

// What may go: all but version 0, the common ones, and the newest `keep` of this lineage and its
// ancestors. What another lineage of the run made after it parted stays until a newer common
// checkpoint of this one has taken its place. `stored` is of one run. Pure.
std::vector<Version> Surplus(const std::vector<CheckpointId>& stored, const RetentionState& state);

// Removes what this shard has of a version.
absl::Status RemoveCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                              Version version);

// Moves what this shard has of a version out of the way, with the reason beside it; where to.
absl::StatusOr<std::string> SetAside(const FileSystem& files, const CheckpointOwner& owner,
                                     Version version, absl::string_view reason);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_RETENTION_H_
