// SPDX-License-Identifier: Apache-2.0
#include "worker/data/class_names.h"

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace conadv {

absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path) {
  std::vector<std::string> names;
  if (!FileSystem::Real().Exists(path)) return names;
  CONADV_ASSIGN_OR_RETURN(const std::string text, FileSystem::Real().Read(path));
  const absl::string_view lines = absl::StripTrailingAsciiWhitespace(text);
  if (lines.empty()) return names;
  for (const absl::string_view line : absl::StrSplit(lines, '\n')) {
    names.emplace_back(absl::StripAsciiWhitespace(line));
    if (!names.back().empty()) continue;
    return absl::InvalidArgumentError(absl::StrCat(Printable(path), ": line ", names.size(),
                                                   " is empty; each line must name a class"));
  }
  return names;
}

std::string DescribeClasses(uint32_t classes, const std::vector<std::string>& names) {
  constexpr size_t kShown = 4;
  std::string text = absl::StrCat(classes, classes == 1 ? " class" : " classes");
  if (names.empty()) return text;
  if (names.size() <= kShown) {
    return absl::StrCat(text, ": ", Printable(absl::StrJoin(names, ", ")));
  }
  return absl::StrCat(text, ": ",
                      Printable(absl::StrCat(names[0], ", ", names[1], ", … ", names.back())));
}

}  // namespace conadv
