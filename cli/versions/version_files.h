// SPDX-License-Identifier: Apache-2.0
// A directory of versions for whoever serves or evaluates them elsewhere: version-N.safetensors,
// and latest.json, which names the newest and comes after it. It may be a network's disk: nothing
// but whole files that get their names last (docs/storage.md). One thread.
#ifndef CONADV_CLI_VERSIONS_VERSION_FILES_H_
#define CONADV_CLI_VERSIONS_VERSION_FILES_H_

#include <cstdint>
#include <deque>
#include <nlohmann/json.hpp>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "cli/client/weights.h"
#include "common/os/file.h"

namespace conadv {

// What a file has, as people and programs are told: job, version, averaged, tensors,
// weights_crc32c, out.
nlohmann::ordered_json DescribeWeights(const Weights& weights, const std::string& path);

class VersionFiles {
 public:
  // Makes the directory. Of what it has written itself it keeps the newest `keep` files; 0: all.
  // `files` outlives it.
  static absl::StatusOr<VersionFiles> In(std::string directory, uint64_t keep,
                                         const FileSystem* files);

  // Replaces the version's file if there is one, and says where it is.
  absl::StatusOr<std::string> Write(const Weights& weights);

 private:
  VersionFiles(std::string directory, uint64_t keep, const FileSystem* files)
      : directory_(std::move(directory)), keep_(keep), files_(files) {}

  std::string directory_;
  uint64_t keep_;
  const FileSystem* files_;
  std::deque<std::string> written_;  // paths, the oldest first, none twice
};

}  // namespace conadv

#endif  // CONADV_CLI_VERSIONS_VERSION_FILES_H_
