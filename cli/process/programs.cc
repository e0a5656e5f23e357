// SPDX-License-Identifier: Apache-2.0
#include "cli/process/programs.h"

#include <unistd.h>

#include <filesystem>
#include <system_error>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace conadv {

absl::StatusOr<std::string> FindProgram(const std::string& name, const std::string& own_directory,
                                        absl::string_view search_path) {
  std::vector<std::string> directories = {own_directory};
  for (const absl::string_view directory : absl::StrSplit(search_path, ':', absl::SkipEmpty())) {
    directories.emplace_back(directory);
  }
  for (const std::string& directory : directories) {
    const std::string path = absl::StrCat(directory, "/", name);
    std::error_code ignored;
    if (std::filesystem::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return absl::NotFoundError(
      absl::StrCat("there is no program ", name, " in ", own_directory,
                   " nor on the PATH; build it, or install it beside conadv"));
}

absl::StatusOr<std::string> OwnDirectory() {
  std::error_code error;
  const std::filesystem::path path = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) return absl::InternalError(absl::StrCat("/proc/self/exe: ", error.message()));
  return path.parent_path().string();
}

}  // namespace conadv
