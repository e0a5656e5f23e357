// SPDX-License-Identifier: Apache-2.0
#include "common/job/rules/fields.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

// Letters to insert, drop or replace (Levenshtein).
size_t EditDistance(absl::string_view a, absl::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
    }
  }
  return row[b.size()];
}

void AppendPaths(const Descriptor& message, const std::string& prefix,
                 std::vector<std::string>* paths) {
  for (int i = 0; i < message.field_count(); ++i) {
    const FieldDescriptor& field = *message.field(i);
    const std::string path = absl::StrCat(prefix, field.name());
    paths->push_back(path);
    if (field.message_type() != nullptr) {
      AppendPaths(*field.message_type(), absl::StrCat(path, "."), paths);
    }
  }
}

}  // namespace

std::string FieldNames(const Descriptor& message) {
  std::string names;
  for (int i = 0; i < message.field_count(); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", message.field(i)->name());
  }
  return names;
}

std::string EnumNames(const google::protobuf::EnumDescriptor& type) {
  std::string names;
  for (int i = 0; i < type.value_count(); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", type.value(i)->name());
  }
  return names;
}

std::string ClosestField(const Descriptor& root, absl::string_view path) {
  constexpr size_t kMaxTypos = 2;
  // Longer than any field by far: not a typo, and not worth the table.
  if (path.size() > 200) return "";
  std::vector<std::string> paths;
  AppendPaths(root, "", &paths);
  std::string closest;
  size_t closest_distance = kMaxTypos + 1;
  for (const std::string& candidate : paths) {
    const bool same_name = absl::EndsWith(candidate, absl::StrCat(".", path));
    // A letter more or less is a typo too: most candidates need no table.
    const bool near =
        path.size() <= candidate.size() + kMaxTypos && candidate.size() <= path.size() + kMaxTypos;
    if (!same_name && !near) continue;
    const size_t distance = same_name ? 0 : EditDistance(path, candidate);
    if (distance < closest_distance) {
      closest_distance = distance;
      closest = candidate;
    }
  }
  return closest;
}

}  // namespace conadv
