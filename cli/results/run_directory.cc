// SPDX-License-Identifier: Apache-2.0
#include "cli/results/run_directory.h"

#include <fcntl.h>
#include <glog/logging.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "cli/results/run_paths.h"
#include "common/base/status_macros.h"
#include "common/os/network_disk.h"

namespace conadv {
namespace {

absl::Status EmptyDirectory(const std::string& directory, bool force, EarlierRun* earlier,
                            const FileSystem& files) {
  if (!files.Exists(directory)) return absl::OkStatus();
  CONADV_ASSIGN_OR_RETURN(const std::vector<std::string> names, files.List(directory));
  if (names.empty()) return absl::OkStatus();
  const std::vector<std::string> ours = RunEntries();
  for (const std::string& name : names) {
    if (std::find(ours.begin(), ours.end(), name) == ours.end()) {
      return absl::AlreadyExistsError(absl::StrCat(
          directory, " holds ", name, ", which is not part of a run; choose another --out"));
    }
  }
  // A directory that only happens to have one of the names is not a run either.
  for (const std::string& path : {JobPath(directory), LogDirectory(directory)}) {
    if (!files.Exists(path)) {
      return absl::AlreadyExistsError(
          absl::StrCat(directory, " is not empty, and not a run; choose another --out"));
    }
  }
  if (!force) {
    return absl::AlreadyExistsError(absl::StrCat(
        directory, " holds a run already; choose another --out, or --force to replace it"));
  }
  return earlier->SetAside();
}

}  // namespace

absl::StatusOr<RunLock> RunLock::Take(const std::string& directory, const FileSystem& files) {
  CONADV_RETURN_IF_ERROR(files.MakeDirectories(directory));
  // The programs that a run starts must not hold it on.
  RunLock lock(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (lock.descriptor_ >= 0 && ::flock(lock.descriptor_, LOCK_EX | LOCK_NB) == 0) return lock;
  if (lock.descriptor_ >= 0 && errno == EWOULDBLOCK) {
    return absl::AlreadyExistsError(
        absl::StrCat("a run is writing to ", directory, " now; choose another --out"));
  }
  if (lock.descriptor_ >= 0 && (IsUnsupported(errno) || errno == ENOLCK)) {
    LOG(WARNING) << directory
                 << ": its file system has no locks: nothing keeps a second run from it";
    return lock;
  }
  return absl::ErrnoToStatus(errno, absl::StrCat("cannot lock ", directory));
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::vector<std::string> RunEntries() {
  std::vector<std::string> names;
  for (const std::string& path :
       {LogDirectory(""), CheckpointDirectory(""), MetricsPath(""), BoardDirectory(""),
        WeightsPath(""), ModelPath(""), JobPath("")}) {
    names.push_back(path.substr(1));
  }
  return names;
}

absl::Status PrepareRunDirectory(const std::string& directory, absl::string_view job_text,
                                 bool force, EarlierRun* earlier, const FileSystem& files) {
  CONADV_RETURN_IF_ERROR(EmptyDirectory(directory, force, earlier, files));
  CONADV_RETURN_IF_ERROR(files.MakeDirectories(LogDirectory(directory)));
  return files.WriteAtomically(JobPath(directory), job_text);
}

absl::StatusOr<uint32_t> ShardsOfRun(const std::string& directory, const FileSystem& files) {
  const std::string checkpoints = CheckpointDirectory(directory);
  std::vector<std::string> versions;
  if (files.Exists(JobPath(directory)) && files.Exists(checkpoints)) {
    CONADV_ASSIGN_OR_RETURN(versions, files.List(checkpoints));
  }
  for (auto version = versions.rbegin(); version != versions.rend(); ++version) {
    const auto shards = files.List(absl::StrCat(checkpoints, "/", *version));
    if (!shards.ok() || shards->empty()) continue;
    // "shard-0-of-2", or, set aside, "000000000400-shard-0-of-2-0"
    const std::vector<absl::string_view> words = absl::StrSplit(shards->front(), '-');
    const auto of = std::find(words.begin(), words.end(), "of");
    uint32_t count = 0;
    if (words.end() - of > 1 && absl::SimpleAtoi(*(of + 1), &count) && count > 0) return count;
  }
  return absl::FailedPreconditionError(
      absl::StrCat("there is no run with a checkpoint in ", directory,
                   "; --resume takes the --out directory of an earlier run"));
}

std::optional<uint64_t> NewestCheckpoint(const std::string& directory, uint32_t shards,
                                         const FileSystem& files) {
  const std::string checkpoints = CheckpointDirectory(directory);
  const absl::StatusOr<std::vector<std::string>> names = files.List(checkpoints);
  if (!names.ok()) return std::nullopt;
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    uint64_t version = 0;
    bool whole = absl::SimpleAtoi(*name, &version);
    for (uint32_t shard = 0; whole && shard < shards; ++shard) {
      whole = files.Exists(absl::StrCat(checkpoints, "/", *name, "/shard-", shard, "-of-", shards,
                                        "/manifest.json"));
    }
    if (whole) return version;
  }
  return std::nullopt;
}

std::string FinalReason(absl::string_view log) {
  const std::vector<absl::string_view> lines = absl::StrSplit(log, '\n');
  for (auto line = lines.rbegin(); line != lines.rend(); ++line) {
    absl::string_view reason = *line;
    const bool ours = absl::ConsumePrefix(&reason, "conadv-server: ") ||
                      absl::ConsumePrefix(&reason, "conadv-worker: ");
    if (ours) return std::string(absl::StripAsciiWhitespace(reason));
  }
  return "";
}

}  // namespace conadv
