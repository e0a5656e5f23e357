// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/paths.h"

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace conadv {
namespace {

std::string VersionName(Version version) { return absl::StrFormat("%012d", version.value()); }

std::string ShardName(const CheckpointOwner& owner) {
  return absl::StrCat("shard-", owner.shard, "-of-", owner.shards);
}

}  // namespace

std::string VersionPath(const CheckpointOwner& owner, Version version) {
  return absl::StrCat(owner.directory, "/", VersionName(version));
}

std::string ShardPath(const CheckpointOwner& owner, Version version) {
  return absl::StrCat(VersionPath(owner, version), "/", ShardName(owner));
}

std::string AsidePath(const CheckpointOwner& owner) {
  return absl::StrCat(owner.directory, "/set-aside");
}

std::string AsideName(const CheckpointOwner& owner, Version version, int copy) {
  return absl::StrCat(VersionName(version), "-", ShardName(owner), "-", copy);
}

std::optional<Version> ParseAsideName(const CheckpointOwner& owner, absl::string_view name) {
  const size_t digits = name.find('-');
  if (digits == name.npos) return std::nullopt;
  const std::optional<Version> version = ParseVersionName(name.substr(0, digits));
  const std::string ours = absl::StrCat("-", ShardName(owner), "-");
  return absl::StartsWith(name.substr(digits), ours) ? version : std::nullopt;
}

std::optional<Version> ParseVersionName(absl::string_view name) {
  uint64_t value = 0;
  if (!absl::SimpleAtoi(name, &value) || VersionName(Version(value)) != name) return std::nullopt;
  return Version(value);
}

}  // namespace conadv
