// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/retention.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "server/checkpoint/manifest.h"

namespace conadv {
namespace {

constexpr char kReasonFile[] = "reason.txt";
// As many of one shard's of one version are set aside side by side.
constexpr int kMostAside = 1000;

absl::StatusOr<std::vector<std::string>> ListOrNothing(const FileSystem& files,
                                                       const std::string& directory) {
  absl::StatusOr<std::vector<std::string>> names = files.List(directory);
  if (absl::IsNotFound(names.status())) return std::vector<std::string>();
  return names;
}

// Why the version is not whole; OK if it is. A file that is missing or has another size makes it
// damaged; any other error is about the disk.
absl::StatusOr<std::string> Damage(const FileSystem& files, const std::string& directory,
                                   const Manifest& manifest) {
  for (const char* name : {kWeightsFile, kOptimizerFile}) {
    const auto expected = manifest.files.find(name);
    const auto size = files.Size(absl::StrCat(directory, "/", name));
    if (absl::IsNotFound(size.status())) return absl::StrCat(name, " is missing");
    CONADV_RETURN_IF_ERROR(size.status());
    if (expected == manifest.files.end() || *size != expected->second.bytes) {
      return absl::StrCat(name, " has another size than the manifest says");
    }
  }
  return std::string();
}

absl::Status ScanVersion(const FileSystem& files, const CheckpointOwner& owner, Version version,
                         const std::function<absl::Status(absl::string_view)>& check_job,
                         StoredCheckpoints* stored) {
  const std::string directory = ShardPath(owner, version);
  const auto text = files.Read(absl::StrCat(directory, "/", kManifestFile));
  if (absl::IsNotFound(text.status())) {
    stored->torn.push_back(version);
    return absl::OkStatus();
  }
  CONADV_RETURN_IF_ERROR(text.status());
  const auto refuse = [&](absl::string_view why) {
    stored->refused.push_back({version, absl::StrCat(directory, ": ", why)});
    return absl::OkStatus();
  };
  const auto manifest = DecodeManifest(*text);
  if (!manifest.ok()) {
    return refuse(absl::StrCat(kManifestFile, " ", manifest.status().message()));
  }
  if (manifest->version != version || manifest->shard != owner.shard ||
      manifest->shards != owner.shards) {
    return refuse(absl::StrCat("its manifest is of version ", manifest->version.value(), ", shard ",
                               manifest->shard, " of ", manifest->shards));
  }
  CONADV_ASSIGN_OR_RETURN(const std::string damage, Damage(files, directory, *manifest));
  if (!damage.empty()) return refuse(damage);
  if (const absl::Status job = check_job(manifest->job); !job.ok()) return refuse(job.message());
  stored->usable.push_back(IdOf(*manifest));
  return absl::OkStatus();
}

absl::Status ScanAside(const FileSystem& files, const CheckpointOwner& owner,
                       StoredCheckpoints* stored) {
  const std::string directory = AsidePath(owner);
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> names, ListOrNothing(files, directory));
  for (auto name = names.rbegin(); name != names.rend(); ++name) {
    const std::optional<Version> version = ParseAsideName(owner, *name);
    if (!version.has_value()) continue;
    const std::string path = absl::StrCat(directory, "/", *name);
    const auto reason = files.Read(absl::StrCat(path, "/", kReasonFile));
    stored->aside.push_back(
        {*version, absl::StrCat("set aside as ", path, ": ",
                                reason.ok() ? absl::StripAsciiWhitespace(*reason)
                                            : absl::string_view("for an unknown reason"))});
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<StoredCheckpoints> ScanCheckpoints(
    const FileSystem& files, const CheckpointOwner& owner,
    const std::function<absl::Status(absl::string_view job)>& check_job) {
  StoredCheckpoints stored;
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                          ListOrNothing(files, owner.directory));
  std::vector<Version> versions;
  for (const std::string& name : names) {
    const std::optional<Version> version = ParseVersionName(name);
    if (version && files.Exists(ShardPath(owner, *version))) versions.push_back(*version);
  }
  std::sort(versions.begin(), versions.end());
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    CONADV_RETURN_IF_ERROR(ScanVersion(files, owner, *version, check_job, &stored));
  }
  CONADV_RETURN_IF_ERROR(ScanAside(files, owner, &stored));
  return stored;
}

std::vector<Version> Surplus(const std::vector<CheckpointId>& stored, const RetentionState& state) {
  std::vector<CheckpointId> newest_first = stored;
  std::sort(newest_first.begin(), newest_first.end(),
            [](const CheckpointId& a, const CheckpointId& b) { return a.version > b.version; });
  const auto is_ours = [&state](const CheckpointId& id) {
    return id.lineage == state.lineage || id.version <= state.first;
  };
  // Nothing, as long as every common one is an ancestor's.
  const std::optional<Version> newest_common =
      state.common.empty() || state.common.back() <= state.first
          ? std::nullopt
          : std::optional<Version>(state.common.back());
  std::vector<Version> surplus;
  size_t kept = 0;
  for (const CheckpointId& id : newest_first) {
    const bool common =
        std::find(state.common.begin(), state.common.end(), id.version) != state.common.end();
    if (!is_ours(id)) {
      if (newest_common.has_value() && id.version <= *newest_common) surplus.push_back(id.version);
    } else if (kept < state.keep) {
      ++kept;
    } else if (id.version != Version(0) && !common) {
      surplus.push_back(id.version);
    }
  }
  return surplus;
}

absl::Status RemoveCheckpoint(const FileSystem& files, const CheckpointOwner& owner,
                              Version version) {
  CONADV_RETURN_IF_ERROR(files.Remove(ShardPath(owner, version)));
  // Other shards may have theirs in it, or be about to.
  return files.RemoveIfEmpty(VersionPath(owner, version));
}

absl::StatusOr<std::string> SetAside(const FileSystem& files, const CheckpointOwner& owner,
                                     Version version, absl::string_view reason) {
  CONADV_RETURN_IF_ERROR(files.MakeDirectories(AsidePath(owner)));
  std::string to;
  for (int copy = 0; copy < kMostAside; ++copy) {
    to = absl::StrCat(AsidePath(owner), "/", AsideName(owner, version, copy));
    if (!files.Exists(to)) break;
  }
  CONADV_RETURN_IF_ERROR(files.Rename(ShardPath(owner, version), to));
  // A full disk takes the reason, not the checkpoint.
  files.WriteAtomically(absl::StrCat(to, "/", kReasonFile), absl::StrCat(reason, "\n"))
      .IgnoreError();
  CONADV_RETURN_IF_ERROR(files.RemoveIfEmpty(VersionPath(owner, version)));
  return to;
}

}  // namespace conadv
