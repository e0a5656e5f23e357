// SPDX-License-Identifier: Apache-2.0
// What a checkpoint is written from while training goes on: references to the versions that go with
// it, and a copy of the optimizer's state. The copies' memory is kept and used again: memory that
// is new each time costs a step more than the copy itself, for the system has to clear it.
#ifndef CONADV_SERVER_AGENT_CHECKPOINT_COPY_H_
#define CONADV_SERVER_AGENT_CHECKPOINT_COPY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/ids.h"
#include "common/base/unit_ledger.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/mutex.h"
#include "server/checkpoint/checkpoint.h"
#include "server/shard/shard.h"

namespace conadv {

// Of one version; everything is owned.
class CheckpointCopy {
 public:
  // Points into this copy; run, lineage and job are the caller's to set.
  ShardCheckpoint View() const;
  const Layout& layout() const { return layout_; }
  Version version() const { return snapshots_.back().version; }

 private:
  friend class CheckpointCopies;
  struct State {
    std::string name;
    std::shared_ptr<const Arena> values;
  };
  CheckpointCopy(Layout layout, UnitLedger applied)
      : layout_(std::move(layout)), applied_(std::move(applied)) {}

  Layout layout_;
  UnitLedger applied_;
  std::string plan_;
  std::vector<Snapshot> snapshots_;  // by version; the last is the checkpoint's
  std::vector<State> states_;
};

// Thread-safe; copies may outlive it.
class CheckpointCopies {
 public:
  // The published version with the newest before it, `versions` in all.
  std::shared_ptr<const CheckpointCopy> Take(const Publication& publication, size_t versions);
  // Of the copies that are in use, and of what is kept for the next.
  uint64_t bytes() const;

 private:
  mutable Mutex mutex_;
  std::optional<ArenaPool> arenas_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGENT_CHECKPOINT_COPY_H_
