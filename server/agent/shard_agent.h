// SPDX-License-Identifier: Apache-2.0
// Does what the coordinator asks of a shard, wherever the coordinator is: goes back to a version,
// writes checkpoints. Thread-safe; the answers come on the checkpointer's thread.
#ifndef CONADV_SERVER_AGENT_SHARD_AGENT_H_
#define CONADV_SERVER_AGENT_SHARD_AGENT_H_

#include <functional>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "common/thread/mutex.h"
#include "server/agent/checkpointer.h"
#include "server/coordinate/coordinator.h"
#include "server/shard/shard.h"

namespace conadv {

class ShardAgent {
 public:
  struct Answers {
    // With what the run goes on from, unless it begins anew.
    std::function<void(const absl::Status&, const std::optional<RunState>&)> restored;
    std::function<void(const CheckpointAnswer&)> checkpointed;
  };

  // Both outlive the agent, and the agent what it asked of the checkpointer (Checkpointer::Flush).
  ShardAgent(Shard* shard, Checkpointer* checkpointer, Answers answers);
  ~ShardAgent() { checkpointer_->SetListener(nullptr); }

  // The lineage that the next restore begins.
  void SetLineage(Lineage lineage);
  void Restore(const std::optional<CheckpointId>& target);
  void Checkpoint(Version version, std::vector<Version> common);

 private:
  void OnRestored(const std::optional<CheckpointId>& target,
                  const absl::StatusOr<UnitLedger>& applied);

  Shard* const shard_;
  Checkpointer* const checkpointer_;
  const Answers answers_;
  Mutex mutex_;
  Lineage lineage_ ABSL_GUARDED_BY(mutex_);
};

// Shard 0's membership: the coordinator lives in its process.
class LocalShard final : public MemberSink {
 public:
  // As the agent's.
  LocalShard(Coordinator* coordinator, Shard* shard, Checkpointer* checkpointer);

  // Called with the coordinator's lock held.
  void Send(const MemberMessage& message) override;
  // Now and then: what the shard works on.
  void Beat() { coordinator_->OnHeartbeat(id(), shard_->oldest_task()); }
  // The coordinator tells its own process in another way.
  void Close(const absl::Status&) override {}

 private:
  MemberId id();

  Coordinator* const coordinator_;
  Shard* const shard_;
  Mutex mutex_;
  MemberId id_ ABSL_GUARDED_BY(mutex_);
  ShardAgent agent_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGENT_SHARD_AGENT_H_
