// SPDX-License-Identifier: Apache-2.0
// Writes every K-th version of a running job into a directory until the run is over. Blocks.
#ifndef CONADV_CLI_VERSIONS_VERSION_WATCH_H_
#define CONADV_CLI_VERSIONS_VERSION_WATCH_H_

#include <cstdint>
#include <functional>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "cli/client/server_wait.h"
#include "cli/client/weights.h"
#include "cli/versions/version_files.h"

namespace conadv {

struct VersionWatchOptions {
  std::string coordinator;
  uint64_t every = 1;  // > 0
  bool averaged = false;
  // Of a server that is away: its time, its pause, and where notes go.
  WaitOptions wait;
};

// Called after each file; false: it is enough.
using VersionWritten = std::function<bool(const Weights&, const std::string& path)>;

// OK: the run's last version is written, or somebody said that it is enough. Versions that the
// servers keep no longer are left out and told of. ABORTED: the run was over before the last
// version could be read. Else the servers' and the disk's errors.
absl::Status WatchVersions(const VersionWatchOptions& options, VersionFiles* files,
                           const VersionWritten& written);

}  // namespace conadv

#endif  // CONADV_CLI_VERSIONS_VERSION_WATCH_H_
