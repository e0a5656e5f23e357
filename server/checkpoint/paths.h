// SPDX-License-Identifier: Apache-2.0
// Where a checkpoint's files lie:
//   <directory>/<version, 12 digits>/shard-<k>-of-<n>/{weights.safetensors, optimizer.safetensors,
//   manifest.json}
// and, moved out of the way with a reason.txt beside them:
//   <directory>/set-aside/<version, 12 digits>-shard-<k>-of-<n>-<which>/
// Pure functions.
#ifndef CONADV_SERVER_CHECKPOINT_PATHS_H_
#define CONADV_SERVER_CHECKPOINT_PATHS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/ids.h"

namespace conadv {

inline constexpr char kWeightsFile[] = "weights.safetensors";
inline constexpr char kOptimizerFile[] = "optimizer.safetensors";
inline constexpr char kManifestFile[] = "manifest.json";

// Whose checkpoints: one shard's of a run that has `shards`.
struct CheckpointOwner {
  std::string directory;
  uint32_t shard = 0;
  uint32_t shards = 1;
};

// The directory of a version, and the shard's directory in it.
std::string VersionPath(const CheckpointOwner& owner, Version version);
std::string ShardPath(const CheckpointOwner& owner, Version version);

// Where what is set aside goes, and the name it gets there: `copy` counts those of one name.
std::string AsidePath(const CheckpointOwner& owner);
std::string AsideName(const CheckpointOwner& owner, Version version, int copy);
// The version of what this shard has set aside under a name.
std::optional<Version> ParseAsideName(const CheckpointOwner& owner, absl::string_view name);

// The version that a directory's name says, if VersionPath makes that name.
std::optional<Version> ParseVersionName(absl::string_view name);

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINT_PATHS_H_
