// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/shard_agent.h"

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

void ShardAgent::SetLineage(Incarnation lineage) {
  MutexLock lock(&mutex_);
  lineage_ = lineage;
}

void ShardAgent::Restore(std::optional<Version> version) {
  checkpointer_->Restore(
      version, shard_,
      [this, version](const absl::StatusOr<UnitLedger>& applied) { OnRestored(version, applied); });
}

void ShardAgent::OnRestored(std::optional<Version> version,
                            const absl::StatusOr<UnitLedger>& applied) {
  std::optional<RunState> state;
  if (applied.ok()) {
    if (version.has_value()) state = RunState{*version, shard_->run()->plan, *applied};
    // Before the answer: once every shard has answered, workers come.
    MutexLock lock(&mutex_);
    shard_->SetLineage(lineage_);
  }
  answers_.restored(applied.status(), state);
}

LocalShard::LocalShard(Coordinator* coordinator, Shard* shard, Checkpointer* checkpointer)
    : coordinator_(coordinator),
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
    agent_.Restore(restore->version);
  } else if (const auto* checkpoint = std::get_if<CheckpointMessage>(&message)) {
    agent_.Checkpoint(checkpoint->version, checkpoint->common);
  }
}

}  // namespace conadv
