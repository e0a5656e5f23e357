// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/coordinator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "common/tensor/layout.h"

namespace conadv {

Coordinator::Coordinator(CoordinatorOptions options, const Clock* clock)
    : options_(std::move(options)),
      clock_(clock),
      shards_(options_.shards),
      checkpoints_({options_.job.server.checkpoint_every, options_.job.server.checkpoint_interval,
                    options_.shards, options_.job.server.checkpoint_keep}),
      last_tick_(clock->Now()) {}

absl::StatusOr<MemberId> Coordinator::Join(const HelloMessage& hello, MemberSink* sink) {
  MutexLock lock(&mutex_);
  if (!failure_.ok()) return failure_;
  CONADV_RETURN_IF_ERROR(CheckServers(hello));
  if (hello.role == Role::kShard) CONADV_RETURN_IF_ERROR(AcceptShard(hello));
  if (hello.role == Role::kWorker) CONADV_RETURN_IF_ERROR(AcceptPlan(hello));
  const MemberId id = next_id_;
  ++next_id_;
  const absl::Time now = clock_->Now();
  Member& member = members_[id] = Member{id, hello, now, now, 0, false, sink, now, false};
  member.hello.plan.reset();  // it has been compared; a large model's would be copied by every view
  by_role_[hello.role].insert(id);
  if (hello.role == Role::kWorker) loads_.Add(id, std::max(1U, hello.threads));
  if (hello.role == Role::kShard) shards_[hello.shard].member = id;
  sink->Send(WelcomeMessage{id, options_.job.server.lease, plan_.has_value() ? plan_->steps : 0,
                            options_.lineage});
  Advance();
  return id;
}

absl::Status Coordinator::AcceptPlan(const HelloMessage& hello) {
  if (!hello.plan.has_value()) return absl::InvalidArgumentError("hello.plan: a worker needs one");
  const Plan& plan = *hello.plan;
  if (plan_.has_value()) return CheckSamePlan(*plan_, plan);
  CONADV_RETURN_IF_ERROR(Layout::Create(plan.tensors, options_.shards).status());
  const uint64_t steps = StepsOf(options_.job.training, plan.examples);
  if (plan.steps != steps) {
    return absl::InvalidArgumentError(absl::StrCat("plan.steps: the job has ", steps, " steps for ",
                                                   plan.examples, " examples, got ", plan.steps));
  }
  plan_ = plan;
  return absl::OkStatus();
}

void Coordinator::OnHeartbeat(MemberId id, uint64_t progress) {
  MutexLock lock(&mutex_);
  const auto member = members_.find(id);
  if (member == members_.end()) return;
  const absl::Time now = clock_->Now();
  member->second.heard = now;
  if (member->second.hello.role == Role::kShard) {
    ShardEntry& shard = shards_[member->second.hello.shard];
    shard.outlives_rival = !shard.rival.empty();
  }
  // A worker's turns are counted by its units.
  const bool moved = std::exchange(member->second.progress, progress) != progress;
  const Role role = member->second.hello.role;
  if (role == Role::kEvaluator && moved) member->second.turn = now;
  if (role == Role::kShard && (moved || progress == 0)) member->second.turn = now;
}

void Coordinator::OnDone(MemberId id, const std::vector<Unit>& units) {
  MutexLock lock(&mutex_);
  const auto member = members_.find(id);
  if (member == members_.end() || !leases_.has_value()) return;
  const absl::Time now = clock_->Now();
  member->second.heard = now;
  if (member->second.hello.role != Role::kWorker) return;
  for (const Unit& unit : units) {
    // Also if another was faster, or it was taken back: it works.
    if (!leases_->Answer(unit, id)) continue;
    pace_.Add(now - std::max(member->second.turn, oldest_since_));
    member->second.turn = now;
    SetStraggles(member->second, false);
    if (!leases_->MarkDone(unit)) continue;
    failed_units_.erase(unit);
    ++member->second.units_done;
  }
  if (leases_->oldest_unfinished() != oldest_) {
    oldest_ = leases_->oldest_unfinished();
    oldest_since_ = now;
  }
  if (leases_->finished() && !last_step_done_.has_value()) last_step_done_ = now;
  Advance();
}

void Coordinator::OnFailed(MemberId id, const Unit& unit, const std::string& reason) {
  MutexLock lock(&mutex_);
  const auto member = members_.find(id);
  if (member == members_.end() || !leases_.has_value() || !leases_->Answer(unit, id)) return;
  member->second.turn = clock_->Now();
  SetStraggles(member->second, false);
  if (!leases_->Release(unit, id)) return;
  if (!failed_units_.emplace(unit, id).second) {
    FailLocked(absl::AbortedError(
        absl::StrCat(unit.ToString(), " failed twice, so the run stops: ", reason)));
    return;
  }
  Advance();
}

void Coordinator::OnOffered(MemberId id) {
  MutexLock lock(&mutex_);
  if (offering_ != id || initialized_) return;
  offering_.reset();
  BeginTraining(UnitLedger(options_.job.training.updates_per_step(), Step(0)), Version(0));
  Advance();
}

void Coordinator::BeginTraining(const UnitLedger& done, Version version) {
  const absl::Time now = clock_->Now();
  initialized_ = true;
  lease_options_ = LeaseOptionsOf(options_.job, options_.shards, plan_->steps);
  leases_.emplace(lease_options_, done, options_.job.training.updates_per_step(), &loads_);
  checkpoints_.Begin(version, written_, LastVersion(), now);
  latest_ = version;
  latest_since_ = clock_->Now();
  AskForCheckpoint();
  training_began_ = now;
  oldest_ = leases_->oldest_unfinished();
  oldest_since_ = now;
  if (leases_->finished()) last_step_done_ = now;
}

void Coordinator::OnGone(MemberId id) {
  MutexLock lock(&mutex_);
  Lose(id);
  Advance();
}

void Coordinator::Lose(MemberId id) {
  const auto found = members_.find(id);
  if (found == members_.end()) return;
  const Member& member = found->second;
  if (member.hello.role == Role::kShard && !member.told_finished) {
    FailLocked(absl::UnavailableError(
        absl::StrCat("shard ", member.hello.shard, " at ", member.hello.address,
                     " is gone; the run goes back to its newest checkpoint")));
    return;
  }
  Remove(id);
}

void Coordinator::Remove(MemberId id) {
  const auto member = members_.find(id);
  if (member == members_.end()) return;
  const Role role = member->second.hello.role;
  if (role == Role::kEvaluator) evaluator_lost_ = clock_->Now();
  members_.erase(member);
  by_role_[role].erase(id);
  // A worker that left before it offered anything binds nobody to its plan.
  if (!initialized_ && FirstOf(Role::kWorker) == nullptr) plan_.reset();
  if (leases_.has_value()) leases_->ReleaseAll(id);
  loads_.Remove(id);
  if (offering_ == id) offering_.reset();
  if (evaluating_ == id) {
    evaluating_.reset();
    if (leases_.has_value() && leases_->finished()) ++evaluators_lost_;
  }
}

void Coordinator::Fail(const absl::Status& reason) {
  MutexLock lock(&mutex_);
  FailLocked(reason);
}

void Coordinator::FailLocked(const absl::Status& reason) {
  if (!failure_.ok()) return;
  failure_ = reason;
  for (const auto& [id, member] : members_) member.sink->Close(reason);
  members_.clear();
  by_role_.clear();
  loads_ = {};
  over_.NotifyAll();
}

Coordinator::View Coordinator::Read() const {
  MutexLock lock(&mutex_);
  View view;
  view.phase = PhaseNow();
  view.message = MessageNow();
  view.steps = plan_.has_value() ? plan_->steps : 0;
  if (leases_.has_value()) view.step = leases_->oldest_unfinished();
  if (training_began_.has_value()) {
    view.training_time = last_step_done_.value_or(clock_->Now()) - *training_began_;
  }
  for (const auto& [id, member] : members_) {
    view.members.emplace_back(member,
                              leases_.has_value() ? leases_->units_of(id) : std::vector<Unit>());
  }
  view.evaluation = evaluation_;
  if (!checkpoints_.common().empty()) view.checkpoint = checkpoints_.common().back();
  for (uint32_t shard = 0; shard < shards_.size(); ++shard) {
    const std::string& error = shards_[shard].checkpoint_error;
    if (error.empty()) continue;
    absl::StrAppend(&view.warning, view.warning.empty() ? "" : "; ", "shard ", shard,
                    " writes no checkpoints: ", error);
  }
  for (const uint32_t shard : hanging_disks_) {
    absl::StrAppend(&view.warning, view.warning.empty() ? "" : "; ", "shard ", shard,
                    " has not written its last checkpoint: its disk hangs");
  }
  if (!restore_warning_.empty()) {
    absl::StrAppend(&view.warning, view.warning.empty() ? "" : "; ", restore_warning_);
  }
  if (evaluators_stuck_ >= kMostStuckEvaluators) {
    absl::StrAppend(&view.warning, view.warning.empty() ? "" : "; ",
                    "no final evaluation: ", evaluators_stuck_, " evaluators were stuck");
  } else if (evaluators_lost_ >= kMostLostEvaluators) {
    absl::StrAppend(&view.warning, view.warning.empty() ? "" : "; ",
                    "no final evaluation: ", evaluators_lost_, " evaluators were lost in it");
  }
  return view;
}

absl::Status Coordinator::health() const {
  MutexLock lock(&mutex_);
  return failure_;
}

Phase Coordinator::PhaseNow() const {
  if (!MissingShards().empty()) return Phase::kWaitingForShards;
  if (!restored_) return Phase::kRestoring;
  if (!plan_.has_value()) return Phase::kWaitingForWorkers;
  if (!initialized_) {
    return offering_.has_value() ? Phase::kInitializing : Phase::kWaitingForWorkers;
  }
  if (!leases_->finished()) return Phase::kTraining;
  return final_evaluation_done_ ? Phase::kFinished : Phase::kEvaluating;
}

std::string Coordinator::MessageNow() const {
  if (!failure_.ok()) return std::string(failure_.message());
  switch (PhaseNow()) {
    case Phase::kWaitingForShards:
      return absl::StrCat("waiting for shards ", absl::StrJoin(MissingShards(), ", "));
    case Phase::kRestoring: return "going back to the newest checkpoint";
    case Phase::kWaitingForWorkers: return "waiting for workers";
    case Phase::kInitializing: return "a worker offers the initial weights";
    case Phase::kTraining: return loads_.empty() ? "waiting for workers" : "";
    case Phase::kEvaluating:
      return checkpoints_.last_answered() || !hanging_disks_.empty()
                 ? "evaluating the final weights"
                 : absl::StrCat("writing the last checkpoint: waiting for shards ",
                                absl::StrJoin(checkpoints_.last_unanswered(), ", "));
    case Phase::kFinished: return "finished";
  }
  return "";
}

}  // namespace conadv
