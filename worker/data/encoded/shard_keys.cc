// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/shard_keys.h"

#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "common/base/printable.h"
#include "worker/data/encoded/list_images.h"

namespace conadv {
namespace {

struct Parts {
  absl::string_view key;
  absl::string_view ending;  // after the dot
};

Parts SplitName(absl::string_view name) {
  const size_t slash = name.rfind('/');
  const size_t dot = name.find('.', slash == absl::string_view::npos ? 0 : slash + 1);
  if (dot == absl::string_view::npos) return {name, ""};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

// A member that is there has a name.
bool IsThere(const TarMember& member) { return !member.name.empty(); }

absl::Status RefuseMember(const TarMember& member, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("member ", Printable(member.name), " ", why));
}

}  // namespace

absl::StatusOr<std::vector<ShardExample>> PairMembers(std::vector<TarMember> members) {
  std::vector<ShardExample> examples;
  absl::flat_hash_map<std::string, size_t> places;
  for (TarMember& member : members) {
    const Parts parts = SplitName(member.name);
    const std::string ending = absl::AsciiStrToLower(parts.ending);
    const FileKind kind = KindOf(absl::StrCat(".", ending));
    const bool is_label = ending == "cls";
    if (kind == FileKind::kUnread) {
      return RefuseMember(member, "is an image of a kind that is not read; pack JPEG or PNG files");
    }
    if (kind == FileKind::kOther && !is_label) continue;
    const auto [place, added] = places.try_emplace(std::string(parts.key), examples.size());
    if (added) examples.push_back({std::string(parts.key), {}, {}});
    ShardExample& example = examples[place->second];
    TarMember& taken = is_label ? example.label : example.image;
    if (IsThere(taken)) {
      return RefuseMember(member, absl::StrCat("is the second ", is_label ? "class" : "image",
                                               " of its key; each key must have one"));
    }
    taken = std::move(member);
  }
  for (const ShardExample& example : examples) {
    if (!IsThere(example.label)) {
      return RefuseMember(example.image, "has no .cls of the same key beside it; pack one");
    }
    if (!IsThere(example.image)) {
      return RefuseMember(example.label, "has no image of the same key beside it; pack one");
    }
  }
  return examples;
}

absl::StatusOr<uint32_t> ParseClass(absl::string_view text) {
  uint32_t label = 0;
  if (absl::SimpleAtoi(text, &label)) return label;
  return absl::InvalidArgumentError("must hold the number of a class, as 0 or 17");
}

}  // namespace conadv
