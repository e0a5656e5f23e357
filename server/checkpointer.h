// SPDX-License-Identifier: Apache-2.0
// Writes checkpoints, and reads them, on a thread of its own, so that training never waits for a
// disk. While one is being written it holds one copy of the optimizer's state and keeps the
// versions that go with it; one at a time. Thread-safe.
#ifndef CONADV_SERVER_CHECKPOINTER_H_
#define CONADV_SERVER_CHECKPOINTER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/thread_pool.h"
#include "server/checkpoint/paths.h"
#include "server/shard.h"

namespace conadv {

struct CheckpointerOptions {
  CheckpointOwner owner;  // without a directory nothing is written
  uint32_t keep = 3;
  uint32_t tau = 0;      // older versions that go with one
  std::string job_name;  // both kept in each manifest
  std::string job_text;
};

// What became of a checkpoint that was asked for, or had to be: of the initial and the last
// version.
struct CheckpointOutcome {
  Version version;
  absl::Status status;
  bool missed = false;  // a newer version was there already
  absl::Duration took;
};

class Checkpointer {
 public:
  struct State {
    std::optional<Version> newest;  // on disk
    absl::Status error;             // of the last attempt
    uint64_t copied_bytes = 0;      // of optimizer state, for the one that is being written
  };
  using Listener = std::function<void(const CheckpointOutcome&)>;

  // The file system and the clock outlive this.
  Checkpointer(CheckpointerOptions options, const FileSystem* files, const Clock* clock);

  // Told of every outcome, on the checkpointer's thread. Before anything else.
  void SetListener(Listener listener) { listener_ = std::move(listener); }
  // A checkpoint of this version, which is yet to come. Does not wait. The `common` ones are kept
  // beside the newest that are here: other shards may lack those.
  void Arm(Version version, std::vector<Version> common);
  // Begins to write if the version is due.
  void OnPublished(const Publication& publication);
  // Versions that can be restored, newest first, as far as their files' sizes tell. A directory
  // that cannot be read is an error.
  absl::StatusOr<std::vector<Version>> Complete() const;
  // On the checkpointer's thread, with nothing else under way: puts `version`, or nothing, into
  // `shard`, and removes all that is newer. The answer is what the version is made of. DATA_LOSS:
  // damaged, and removed itself. Other errors are final.
  using Restored = std::function<void(absl::StatusOr<UnitLedger>)>;
  void Restore(std::optional<Version> version, Shard* shard, Restored done);
  // Waits until what was begun is done.
  void Flush();
  State state() const;

 private:
  struct Pending;

  bool IsDue(Version version, Version last) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Submit(std::function<void()> task);
  CheckpointOutcome Write(const Pending& pending);
  void Prune();
  absl::StatusOr<UnitLedger> RestoreNow(std::optional<Version> version, Shard* shard);
  absl::StatusOr<UnitLedger> Install(Version version, Shard* shard);
  void Tell(const CheckpointOutcome& outcome);

  const CheckpointerOptions options_;
  const FileSystem* const files_;
  const Clock* const clock_;
  Listener listener_;
  mutable Mutex mutex_;
  CondVar idle_;
  int tasks_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Version> armed_ ABSL_GUARDED_BY(mutex_);
  std::vector<Version> common_ ABSL_GUARDED_BY(mutex_);
  std::optional<Version> published_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_);
  ThreadPool thread_;  // last: joins before the rest goes
};

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINTER_H_
