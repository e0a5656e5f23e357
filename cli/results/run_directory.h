// SPDX-License-Identifier: Apache-2.0
// The directory that a run leaves its results in: never one with something else, never two runs in
// one. Calls block on the disk.
#ifndef CONADV_CLI_RESULTS_RUN_DIRECTORY_H_
#define CONADV_CLI_RESULTS_RUN_DIRECTORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "cli/results/earlier_run.h"
#include "common/os/file.h"

namespace conadv {

// While it lives, no other process has this directory's.
class RunLock {
 public:
  // Makes the directory. ALREADY_EXISTS: a run is writing there now.
  static absl::StatusOr<RunLock> Take(const std::string& directory, const FileSystem& files);
  RunLock(RunLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  RunLock& operator=(RunLock&&) = delete;
  ~RunLock();

 private:
  explicit RunLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

// The names of everything that a run writes, and of nothing else.
std::vector<std::string> RunEntries();

// Makes an empty one with the job in it. If there is something at the path already, ALREADY_EXISTS.
// With `force` an earlier run is set aside, but only if the directory holds nothing else: a single
// entry that no run writes, and nothing is touched.
absl::Status PrepareRunDirectory(const std::string& directory, absl::string_view job_text,
                                 bool force, EarlierRun* earlier, const FileSystem& files);

// How many shards a run in `directory` had, so that it can go on. FAILED_PRECONDITION: there is no
// run, or it has no checkpoint.
absl::StatusOr<uint32_t> ShardsOfRun(const std::string& directory, const FileSystem& files);

// The newest version of which every one of `shards` has a checkpoint, as far as names tell.
std::optional<uint64_t> NewestCheckpoint(const std::string& directory, uint32_t shards,
                                         const FileSystem& files);

// Why one of our programs ended, as it says in its log with its name before it; empty if it did not
// say. What else is in the log has nothing to do with it.
std::string FinalReason(absl::string_view log);

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_RUN_DIRECTORY_H_
