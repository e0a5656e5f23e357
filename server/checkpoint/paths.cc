// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/paths.h"

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace conadv {
namespace {

std::string VersionName(Version version) { return absl::StrFormat("%012d", version.value()); }

}  // namespace

std::string VersionPath(const CheckpointOwner& owner, Version version) {
  return absl::StrCat(owner.directory, "/", VersionName(version));
}

std::string ShardPath(const CheckpointOwner& owner, Version version) {
  return absl::StrCat(VersionPath(owner, version), "/shard-", owner.shard, "-of-", owner.shards);
}

std::optional<Version> ParseVersionName(absl::string_view name) {
  uint64_t value = 0;
  if (!absl::SimpleAtoi(name, &value) || VersionName(Version(value)) != name) return std::nullopt;
  return Version(value);
}

}  // namespace conadv
