// SPDX-License-Identifier: Apache-2.0
// Writes checkpoints, and reads them, on a thread of its own, so that training never waits for a
// disk. While one is being written it holds one copy of the optimizer's state and keeps the
// versions that go with it; one at a time. What writes gives way to every other thread.
// Thread-safe.
#ifndef CONADV_SERVER_AGENT_CHECKPOINTER_H_
#define CONADV_SERVER_AGENT_CHECKPOINTER_H_

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/thread/mutex.h"
#include "common/thread/thread_pool.h"
#include "server/agent/checkpoint_copy.h"
#include "server/checkpoint/identity.h"
#include "server/checkpoint/paths.h"
#include "server/checkpoint/retention.h"
#include "server/checkpoint/room.h"
#include "server/shard/shard.h"

namespace conadv {

struct CheckpointerOptions {
  CheckpointOwner owner;  // without a directory nothing is written
  uint32_t keep = 3;
  uint32_t older_versions = 0;  // that go with one
  // For a disk that hangs, where nothing is left to wait for but it.
  absl::Duration patience = absl::Minutes(1);
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
    uint64_t copied_bytes = 0;      // of optimizer state, or kept for it
    uint64_t written = 0;           // by this checkpointer
    uint64_t failed = 0;            // likewise
    absl::Time written_at;          // the last of them; the clock's
    absl::Duration took;            // likewise
    CheckpointRoom room;            // after the last of them
  };
  using Listener = std::function<void(const CheckpointOutcome&)>;

  // The file system and the clock outlive this.
  Checkpointer(CheckpointerOptions options, const FileSystem* files, const Clock* clock);

  // Told of every outcome, on the checkpointer's thread or the publisher's. Set it before anything
  // else, and to nullptr before what it uses goes.
  void SetListener(Listener listener);
  // A checkpoint of this version, which is yet to come. Does not wait. The `common` ones are kept
  // beside the newest that are here: other shards may lack those. True if it is the newest already:
  // whoever can should call OnPublished once more.
  bool Arm(Version version, std::vector<Version> common);
  // Begins to write if the version is due. One that was asked for and has passed is missed.
  void OnPublished(const Publication& publication);
  // Looks at what is there; before a restore. What was set aside earlier is among the refused. A
  // directory that cannot be read is an error.
  absl::StatusOr<CheckpointReport> Scan();
  // What a lineage begins with.
  struct Beginning {
    std::optional<CheckpointId> target;  // nothing: it begins anew
    Lineage lineage;
  };
  // On the checkpointer's thread, with nothing else under way: puts the target, or nothing, into
  // `shard`, and then sets aside what is not of this run. The answer is what the version is made
  // of. DATA_LOSS: damaged, and set aside itself. Other errors are final, and change nothing.
  using Restored = std::function<void(absl::StatusOr<UnitLedger>)>;
  void Restore(const Beginning& beginning, Shard* shard, Restored done);
  // Waits until what was begun is done. False: it is not after `patience`, as on a disk that hangs.
  bool Flush(absl::Duration patience = absl::InfiniteDuration());
  State state() const;
  // What it has, as far as it knows without a look at the disk.
  CheckpointReport Stored() const;

 private:
  // What was asked for and can be had no more, now that `version` is published.
  std::optional<Version> TakePassed(Version version);
  bool IsDue(Version version, Version last);
  void AnswerLater(CheckpointOutcome outcome);
  void Submit(std::function<void()> task);
  CheckpointOutcome Write(const CheckpointCopy& copy);
  absl::StatusOr<CheckpointId> WriteInBackground(const ShardCheckpoint& checkpoint,
                                                 const Layout& layout);
  void Add(const CheckpointId& id);
  void Prune();
  absl::StatusOr<UnitLedger> RestoreNow(const Beginning& beginning, Shard* shard);
  absl::StatusOr<UnitLedger> Install(const CheckpointId& target, Shard* shard);
  absl::Status BeginAnew();
  absl::Status SetOthersAside(Lineage run);
  absl::Status MoveAside(Version version, absl::string_view reason);
  void Tell(const CheckpointOutcome& outcome);

  const CheckpointerOptions options_;
  const FileSystem* const files_;
  const Clock* const clock_;
  mutable Mutex mutex_;
  Listener listener_ ABSL_GUARDED_BY(mutex_);
  CondVar idle_;
  int tasks_ ABSL_GUARDED_BY(mutex_) = 0;
  std::optional<Version> armed_ ABSL_GUARDED_BY(mutex_);
  std::vector<Version> common_ ABSL_GUARDED_BY(mutex_);
  std::optional<Version> published_ ABSL_GUARDED_BY(mutex_);
  State state_ ABSL_GUARDED_BY(mutex_);
  StoredCheckpoints stored_ ABSL_GUARDED_BY(mutex_);  // kept in step with the disk
  Lineage run_ ABSL_GUARDED_BY(mutex_);
  Lineage lineage_ ABSL_GUARDED_BY(mutex_);
  Version first_ ABSL_GUARDED_BY(mutex_);  // of the lineage
  CheckpointCopies copies_;
  ThreadPool writer_;  // writes files and does nothing else: what it started would give way too
  ThreadPool thread_;  // last: joins before the rest goes
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGENT_CHECKPOINTER_H_
