// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/format/json_output.h"
#include "cli/format/tables.h"
#include "common/base/status_macros.h"

namespace conadv {

nlohmann::ordered_json DescribeWeights(const Weights& weights, const std::string& path) {
  return {{"job", weights.job},
          {"version", weights.version.value()},
          {"averaged", weights.averaged},
          {"tensors", weights.layout.placements().size()},
          {"weights_crc32c", CrcText(weights.crc32c())},
          {"out", path}};
}

absl::StatusOr<VersionFiles> VersionFiles::In(std::string directory, uint64_t keep,
                                              const FileSystem* files) {
  CONADV_RETURN_IF_ERROR(files->MakeDirectories(directory));
  return VersionFiles(std::move(directory), keep, files);
}

absl::StatusOr<std::string> VersionFiles::Write(const Weights& weights) {
  const std::filesystem::path directory = directory_;
  const std::string name = absl::StrCat("version-", weights.version.value(), ".safetensors");
  const std::string path = directory / name;
  CONADV_RETURN_IF_ERROR(WriteWeights(weights, path, *files_));
  CONADV_RETURN_IF_ERROR(files_->WriteAtomically(
      directory / "latest.json", absl::StrCat(JsonLine(DescribeWeights(weights, name)), "\n")));
  written_.erase(std::remove(written_.begin(), written_.end(), path), written_.end());
  written_.push_back(path);
  // Whoever reads latest.json finds its file: the older ones go last.
  for (; keep_ > 0 && written_.size() > keep_; written_.pop_front()) {
    CONADV_RETURN_IF_ERROR(files_->Remove(written_.front()));
  }
  return path;
}

}  // namespace conadv
