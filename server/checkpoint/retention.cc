// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/retention.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "server/checkpoint/manifest.h"

namespace conadv {
namespace {

// Versions of which this shard has anything at all, newest first.
absl::StatusOr<std::vector<Version>> AllVersions(const FileSystem& files,
                                                 const CheckpointOwner& owner) {
  const absl::StatusOr<std::vector<std::string>> names = files.List(owner.directory);
  if (absl::IsNotFound(names.status())) return std::vector<Version>();
  if (!names.ok()) return names.status();
  std::vector<Version> versions;
  for (const std::string& name : *names) {
    const std::optional<Version> version = ParseVersionName(name);
    if (version && files.Exists(ShardPath(owner, *version))) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end(), std::greater<>());
  return versions;
}

// A file that is missing or says something else makes it incomplete. One that cannot be read now
// may be fine: what to think of it is not for us.
absl::StatusOr<bool> IsComplete(const FileSystem& files, const CheckpointOwner& owner,
                                Version version) {
  const std::string directory = ShardPath(owner, version);
  const auto text = files.Read(absl::StrCat(directory, "/", kManifestFile));
  if (absl::IsNotFound(text.status())) return false;
  CONADV_RETURN_IF_ERROR(text.status());
  const auto manifest = DecodeManifest(*text);
  if (!manifest.ok()) return false;
  for (const char* name : {kWeightsFile, kOptimizerFile}) {
    const auto expected = manifest->files.find(name);
    const auto size = files.Size(absl::StrCat(directory, "/", name));
    if (!size.ok() && !absl::IsNotFound(size.status())) return size.status();
    if (expected == manifest->files.end() || !size.ok() || *size != expected->second.bytes) {
      return false;
    }
  }
  return true;
}

}  // namespace

absl::Status RemoveCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                              Version version) {
  CONADV_RETURN_IF_ERROR(files.Remove(ShardPath(owner, version)));
  const auto others = files.List(VersionPath(owner, version));
  // Another shard may have been the last, and have removed it.
  if (!others.ok() || !others->empty()) return absl::OkStatus();
  return files.Remove(VersionPath(owner, version));
}

absl::StatusOr<std::vector<Version>> CompleteCheckpoints(const FileSystem& files,
                                                         const CheckpointOwner& owner) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<Version> versions, AllVersions(files, owner));
  std::vector<Version> complete;
  for (const Version version : versions) {
    CONADV_ASSIGN_OR_RETURN(const bool whole, IsComplete(files, owner, version));
    if (whole) complete.push_back(version);
  }
  return complete;
}

absl::Status PruneCheckpoints(const FileSystem& files, const CheckpointOwner& owner, size_t keep,
                              const std::vector<Version>& common) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<Version> versions, AllVersions(files, owner));
  size_t kept = 0;
  for (const Version version : versions) {
    CONADV_ASSIGN_OR_RETURN(const bool complete, IsComplete(files, owner, version));
    const bool wanted =
        version == Version(0) || std::find(common.begin(), common.end(), version) != common.end();
    if (complete && kept < keep) {
      ++kept;
    } else if (!complete || !wanted) {
      CONADV_RETURN_IF_ERROR(RemoveCheckpoint(files, owner, version));
    }
  }
  return absl::OkStatus();
}

absl::Status RemoveCheckpointsAfter(const FileSystem& files, const CheckpointOwner& owner,
                                    Version version) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<Version> versions, AllVersions(files, owner));
  for (const Version found : versions) {
    if (found > version) CONADV_RETURN_IF_ERROR(RemoveCheckpoint(files, owner, found));
  }
  return absl::OkStatus();
}

absl::Status RemoveAllCheckpoints(const FileSystem& files, const CheckpointOwner& owner) {
  CONADV_ASSIGN_OR_RETURN(const std::vector<Version> versions, AllVersions(files, owner));
  for (const Version found : versions) {
    CONADV_RETURN_IF_ERROR(RemoveCheckpoint(files, owner, found));
  }
  return absl::OkStatus();
}

}  // namespace conadv
