// SPDX-License-Identifier: Apache-2.0
// The machine's course: what follows from where a run stands, phase by phase, and from the time
// that has passed.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/coordinate/machine.h"

namespace conadv {

void CoordinatorMachine::Advance() {
  if (!failure_.ok()) return;
  switch (phase_) {
    case Phase::kWaitingForShards:
      if (seats_.complete()) BeginRestore();
      return;
    case Phase::kRestoring: return;
    case Phase::kWaitingForWorkers: return AskForWeights();
    case Phase::kInitializing: return;
    case Phase::kTraining:
      if (!training_.finished()) return training_.Grant(now_, &actions_);
      phase_ = Phase::kWritingLastCheckpoint;
      [[fallthrough]];
    case Phase::kWritingLastCheckpoint:
      // From here on workers and evaluator may leave for good: what is lost now could not be made
      // again. A shard that cannot write has said so, and holds nobody up; nor does one whose disk
      // hangs, for long.
      if (!LastCheckpointOver()) return;
      phase_ = Phase::kEvaluating;
      [[fallthrough]];
    case Phase::kEvaluating:
      SendFinished(Role::kWorker);
      if (!evaluation_.Finish(training_.last_version(), *training_.last_step_done(), now_,
                              &actions_)) {
        return;
      }
      phase_ = Phase::kFinished;
      [[fallthrough]];
    case Phase::kFinished: return Dismiss();
  }
}

void CoordinatorMachine::BeginRestore() {
  phase_ = Phase::kRestoring;
  const absl::Status refusal = restore_.Begin(options_.begin_anew);
  if (!refusal.ok()) return Fail(refusal);
  SendToShards(RestoreMessage{restore_.target()});
}

void CoordinatorMachine::EndRestore() {
  phase_ = Phase::kWaitingForWorkers;
  std::optional<RunState> state = restore_.TakeState();
  if (!state.has_value()) return;
  // A worker that joined meanwhile may have come with another plan: it hears so when it joins
  // again.
  const Plan* const plan = training_.plan();
  if (plan != nullptr && !CheckSamePlan(state->plan, *plan).ok()) {
    const std::set<MemberId> workers = members_.With(Role::kWorker);
    for (const MemberId id : workers) {
      Close(id, absl::UnavailableError("the run goes on from a checkpoint"));
      Remove(id);
    }
  }
  training_.SetPlan(std::move(state->plan));
  BeginTraining(state->applied, state->version);
}

void CoordinatorMachine::AskForWeights() {
  const Member* const worker = members_.First(Role::kWorker);
  if (worker == nullptr) return;
  phase_ = Phase::kInitializing;
  offering_ = worker->id;
  Send(worker->id, OfferMessage{});
}

void CoordinatorMachine::BeginTraining(const UnitLedger& done, Version version) {
  phase_ = Phase::kTraining;
  training_.Begin(done, now_);
  checkpoints_.Begin(version, restore_.written(), training_.last_version(), now_);
  latest_ = version;
  latest_since_ = now_;
  const Lineage run = restore_.target().has_value() ? restore_.target()->run : options_.lineage;
  ApplySettings(options_.settings.run == run ? options_.settings.tau : tau_);
  LimitLeases();
  if (stops_) BeginStop();
  AskForCheckpoint();
}

void CoordinatorMachine::AskForCheckpoint() {
  const std::optional<Version> target = checkpoints_.Next(latest_, now_);
  if (target.has_value()) SendToShards(CheckpointMessage{*target, checkpoints_.common()});
}

bool CoordinatorMachine::LastCheckpointOver() {
  if (checkpoints_.last_answered()) return true;
  const absl::Duration patience = std::max(options_.checkpoint_patience, 4 * checkpoints_.took());
  if (now_ - *training_.last_step_done() < patience) return false;
  hanging_disks_ = checkpoints_.last_unanswered();
  return true;
}

void CoordinatorMachine::Dismiss() {
  SendFinished(Role::kWorker);
  SendFinished(Role::kEvaluator);
  SendFinished(Role::kObserver);
  if (members_.only_shards()) SendFinished(Role::kShard);
}

bool CoordinatorMachine::over() const {
  return !failure_.ok() || (phase_ == Phase::kFinished && members_.only_local());
}

bool CoordinatorMachine::saved() const { return StopSaved(); }

void CoordinatorMachine::DropSilent() {
  const absl::Duration lease = options_.job.server.lease;
  for (const MemberId id : members_.Silent(now_, lease)) {
    if (members_.Find(id) == nullptr) continue;  // the run has failed by now
    Close(id, absl::DeadlineExceededError(
                  absl::StrCat("nothing heard for ", absl::FormatDuration(lease))));
    Lose(id);
  }
}

std::pair<MemberId, absl::Duration> CoordinatorMachine::LongestTask() const {
  std::pair<MemberId, absl::Duration> longest;
  for (const MemberId id : members_.With(Role::kShard)) {
    const Member& shard = *members_.Find(id);
    const absl::Duration time = now_ - shard.working_since;
    if (shard.progress != 0 && time > longest.second) longest = {id, time};
  }
  return longest;
}

// Before any worker is taken for stuck that waits for it. A shard that was itself stopped, for less
// than a lease, gets the time to go on.
void CoordinatorMachine::CheckShards() {
  const absl::Duration timeout =
      std::max(training_.pace().timeout(options_.job.server.unit_timeout) / 2,
               2 * options_.job.server.lease);
  const auto [id, time] = LongestTask();
  if (time <= timeout) return;
  const HelloMessage& shard = members_.Find(id)->hello;
  const std::string what = absl::StrCat(
      "shard ", shard.shard, " at ", shard.address, " has been busy with one task for ",
      absl::FormatDuration(time), " (server.unit_timeout_seconds) and is stuck");
  Close(id, absl::AbortedError(absl::StrCat(what, "; start it anew")));
  Remove(id);
  Fail(absl::UnavailableError(absl::StrCat(what, "; the run goes back to a checkpoint")));
}

void CoordinatorMachine::CheckWorkers() {
  if (!training_.begun()) return;
  const absl::Duration timeout = training_.pace().timeout(options_.job.server.unit_timeout);
  const Training::Stragglers stragglers = training_.FindStragglers(now_);
  // Who waits for a shard is not to blame.
  if (LongestTask().second <= timeout / 2) {
    for (const MemberId id : stragglers.stuck) CloseStuck(id, timeout);
  }
  if (stragglers.any) training_.Speculate(now_, &actions_);
}

void CoordinatorMachine::CheckEvaluator() {
  // It tells of each batch, which passes as often as the attack has steps, and in the first of them
  // as the check of the training's attack has. Longer attacks tell of their steps.
  constexpr uint32_t kMorePasses = 16;
  const uint32_t passes =
      options_.job.evaluation.attack_steps + options_.job.attack.steps + kMorePasses;
  const absl::Duration timeout =
      options_.job.server.unit_timeout + passes * training_.pace().timeout(absl::ZeroDuration());
  const std::optional<MemberId> stuck = evaluation_.TakeStuck(timeout, now_);
  if (stuck.has_value()) CloseStuck(*stuck, timeout);
}

void CoordinatorMachine::CloseStuck(MemberId id, absl::Duration after) {
  Close(id,
        absl::AbortedError(absl::StrCat(
            members_.Find(id)->hello.name, " finishes nothing for ", absl::FormatDuration(after),
            " (server.unit_timeout_seconds) and is stuck; start it anew")));
  Lose(id);
}

}  // namespace conadv
