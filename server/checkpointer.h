// SPDX-License-Identifier: Apache-2.0
// Writes checkpoints on a thread of its own, so that training never waits for a disk. Takes one
// extra copy of the optimizer's state while it writes. While one is being written no other is
// begun, but the last version always is. Thread-safe.
#ifndef CONADV_SERVER_CHECKPOINTER_H_
#define CONADV_SERVER_CHECKPOINTER_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "common/base/file.h"
#include "common/base/mutex.h"
#include "common/base/thread_pool.h"
#include "server/optimize/optimizer.h"
#include "server/shard.h"
#include "server/snapshot/store.h"

namespace conadv {

struct CheckpointerOptions {
  std::string directory;  // empty: nothing is written
  uint64_t every = 0;     // versions; 0: the first and the last only
  std::string job_name;   // both kept in each manifest
  std::string job_text;
  uint32_t shard = 0;
  uint32_t shards = 1;
};

class Checkpointer {
 public:
  struct State {
    std::optional<Version> newest;  // on disk
    absl::Status error;             // of the last attempt
  };

  // `run` tells of the run once its plan is known. The file system outlives this.
  Checkpointer(CheckpointerOptions options, const FileSystem* files,
               std::function<std::shared_ptr<const Shard::Run>()> run);

  // A version was published and the optimizer is at rest: copies its state if a checkpoint is due.
  void OnVersion(const Snapshot& weights, Optimizer& optimizer);
  // Waits until what was begun is written.
  void Flush();
  State state() const;

 private:
  struct Pending;

  bool IsDue(Version version, Version last) const;
  void Write(const Pending& pending);

  const CheckpointerOptions options_;
  const FileSystem* const files_;
  const std::function<std::shared_ptr<const Shard::Run>()> run_;
  mutable Mutex mutex_;
  CondVar idle_;
  int writing_ ABSL_GUARDED_BY(mutex_) = 0;
  State state_ ABSL_GUARDED_BY(mutex_);
  ThreadPool thread_;  // last: joins before the rest goes
};

}  // namespace conadv

#endif  // CONADV_SERVER_CHECKPOINTER_H_
