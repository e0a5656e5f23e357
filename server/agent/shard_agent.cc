// SPDX-License-Identifier: Apache-2.0
#include "server/agent/shard_agent.h"

#include <utility>
#include <variant>

namespace conadv {

ShardAgent::ShardAgent(Shard* shard, Checkpointer* checkpointer, Answers answers)
    : shard_(shard), checkpointer_(checkpointer), answers_(std::move(answers)) {
  checkpointer_->SetListener([this](const CheckpointOutcome& outcome) {
    answers_.checkpointed(
        {outcome.version, std::string(outcome.status.message()), outcome.missed, outcome.took});
  });
}

void ShardAgent::SetLineage(Lineage lineage) {
  MutexLock lock(&mutex_);
  lineage_ = lineage;
}

void ShardAgent::Restore(const std::optional<CheckpointId>& target) {
  Checkpointer::Beginning beginning;
  beginning.target = target;
  {
    MutexLock lock(&mutex_);
    beginning.lineage = lineage_;
  }
  checkpointer_->Restore(
      beginning, shard_,
      [this, target](const absl::StatusOr<UnitLedger>& applied) { OnRestored(target, applied); });
}

void ShardAgent::Checkpoint(Version version, std::vector<Version> common) {
  const bool is_newest = checkpointer_->Arm(version, std::move(common));
  if (!is_newest) return;
  shard_->VisitAtRest(
      version, [this](const Publication& publication) { checkpointer_->OnPublished(publication); });
}

void ShardAgent::OnRestored(const std::optional<CheckpointId>& target,
                            const absl::StatusOr<UnitLedger>& applied) {
  std::optional<RunState> state;
  if (applied.ok()) {
    if (target.has_value()) state = RunState{target->version, shard_->run()->plan, *applied};
    // Before the answer: once every shard has answered, workers come.
    MutexLock lock(&mutex_);
    shard_->SetLineage(lineage_);
  }
  answers_.restored(applied.status(), state);
}

LocalShard::LocalShard(Coordinator* coordinator, Shard* shard, Checkpointer* checkpointer)
    : coordinator_(coordinator),
      shard_(shard),
      agent_(shard, checkpointer,
             {[this](const absl::Status& status, const std::optional<RunState>& state) {
                coordinator_->OnRestored(id(), status, state);
              },
              [this](const CheckpointAnswer& answer) {
                coordinator_->OnCheckpointed(id(), answer);
              }}) {}

MemberId LocalShard::id() {
  MutexLock lock(&mutex_);
  return id_;
}

void LocalShard::Send(const MemberMessage& message) {
  if (const auto* welcome = std::get_if<WelcomeMessage>(&message)) {
    agent_.SetLineage(welcome->lineage);
    MutexLock lock(&mutex_);
    id_ = welcome->id;
  } else if (const auto* restore = std::get_if<RestoreMessage>(&message)) {
    agent_.Restore(restore->target);
  } else if (const auto* checkpoint = std::get_if<CheckpointMessage>(&message)) {
    agent_.Checkpoint(checkpoint->version, checkpoint->common);
  }
}

}  // namespace conadv
