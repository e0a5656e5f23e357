// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"

namespace conadv {

CoordinatorMachine::CoordinatorMachine(CoordinatorOptions options, absl::Time now)
    : options_(std::move(options)),
      seats_(options_.shards),
      restore_(options_.shards),
      training_(&options_.job, options_.shards, &members_),
      evaluation_(&options_.job, options_.evaluator_patience, &members_),
      checkpoints_({options_.job.server.checkpoint_every, options_.job.server.checkpoint_interval,
                    options_.shards, options_.job.server.checkpoint_keep}),
      last_tick_(now),
      now_(now) {}

CoordinatorMachine::Output CoordinatorMachine::Step(Event event, absl::Time now) {
  now_ = now;
  joined_.reset();
  drained_.reset();
  prepared_.reset();
  absl::Status status = std::visit(
      [this](auto&& one) { return On(std::forward<decltype(one)>(one)); }, std::move(event));
  return {std::move(status), joined_, std::exchange(drained_, std::nullopt),
          std::exchange(prepared_, std::nullopt), std::exchange(actions_, {})};
}

absl::Status CoordinatorMachine::On(JoinEvent event) {
  HelloMessage& hello = event.hello;
  CONADV_RETURN_IF_ERROR(failure_);
  CONADV_RETURN_IF_ERROR(seats_.CheckServers(hello));
  if (hello.role == Role::kShard) CONADV_RETURN_IF_ERROR(AdmitShard(hello));
  if (hello.role == Role::kWorker) CONADV_RETURN_IF_ERROR(training_.AcceptPlan(hello.plan));
  Member& member = members_.Add(std::move(hello), now_);
  if (member.hello.role == Role::kWorker) training_.AddWorker(member);
  if (member.hello.role == Role::kShard) {
    seats_.Take(member.hello, member.id);
    restore_.SetReport(member.hello.shard, std::exchange(member.hello.checkpoints, {}));
  }
  joined_ = member.id;
  const Plan* const plan = training_.plan();
  Send(member.id, WelcomeMessage{member.id, options_.job.server.lease,
                                 plan != nullptr ? plan->steps : 0, options_.lineage, tau_});
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::AdmitShard(const HelloMessage& hello) {
  CONADV_RETURN_IF_ERROR(seats_.CheckNumber(hello));
  const ShardSeats::Seat& seat = seats_.at(hello.shard);
  const Member* const former = members_.Find(seat.member);
  if (former != nullptr && seat.address != hello.address) {
    return seats_.RefuseRival(hello, *former, now_);
  }
  if (phase_ != Phase::kWaitingForShards) {
    Fail(absl::UnavailableError(
        absl::StrCat("shard ", hello.shard, " at ", hello.address,
                     " started again; the run goes back to its newest checkpoint")));
    return failure_;
  }
  if (former != nullptr) {
    Close(former->id, absl::UnavailableError("the same shard joined again"));
    Remove(seat.member);
  }
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const HeartbeatEvent& event) {
  Member* const member = members_.Find(event.id);
  if (member == nullptr) return absl::OkStatus();
  member->heard = now_;
  const Role role = member->hello.role;
  if (role == Role::kShard) seats_.OnHeard(member->hello.shard);
  const bool progressed = std::exchange(member->progress, event.progress) != event.progress;
  // A worker's time is counted by its units.
  if (role == Role::kEvaluator && progressed) member->working_since = now_;
  if (role == Role::kShard && (progressed || event.progress == 0)) member->working_since = now_;
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const DoneEvent& event) {
  Member* const member = members_.Find(event.id);
  if (member == nullptr || !training_.begun()) return absl::OkStatus();
  member->heard = now_;
  if (member->hello.role != Role::kWorker) return absl::OkStatus();
  training_.OnDone(*member, event.units, now_);
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const FailedEvent& event) {
  Member* const member = members_.Find(event.id, Role::kWorker);
  if (member == nullptr || !training_.begun()) return absl::OkStatus();
  const absl::Status status = training_.OnFailed(*member, event.unit, event.reason, now_);
  if (!status.ok()) Fail(status);
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const OfferedEvent& event) {
  if (phase_ != Phase::kInitializing || offering_ != event.id) return absl::OkStatus();
  BeginTraining(UnitLedger(options_.job.training.updates_per_step(), conadv::Step(0)), Version(0));
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const RestoredEvent& event) {
  const Member* const member = members_.Find(event.id, Role::kShard);
  if (member == nullptr || phase_ != Phase::kRestoring) return absl::OkStatus();
  const uint32_t shard = member->hello.shard;
  if (!event.status.ok()) {
    const std::string what = absl::StrCat("shard ", shard, ": ", event.status.message());
    // A damaged checkpoint is set aside now: the next lineage begins with an older one.
    Fail(absl::IsDataLoss(event.status) ? absl::UnavailableError(what) : absl::AbortedError(what));
    return absl::OkStatus();
  }
  restore_.OnRestored(shard, event.state);
  if (restore_.done()) EndRestore();
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const CheckpointedEvent& event) {
  const Member* const member = members_.Find(event.id, Role::kShard);
  if (member == nullptr) return absl::OkStatus();
  const uint32_t shard = member->hello.shard;
  if (!event.answer.missed) seats_.at(shard).checkpoint_error = event.answer.error;
  checkpoints_.OnAnswer(shard, event.answer);
  AdvanceSaves();
  AskForCheckpoint();
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const GoneEvent& event) {
  Lose(event.id);
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const PublishedEvent& event) {
  if (!training_.begun() || !failure_.ok()) return absl::OkStatus();
  latest_ = event.version;
  latest_since_ = now_;
  AdvanceSaves();
  AskForCheckpoint();
  evaluation_.OnPublished(event.version, training_.last_version(), now_, &actions_);
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const EvaluatedEvent& event) {
  const EvaluationResult& result = event.result;
  if (result.lineage.value() != 0 && result.lineage != options_.lineage) {
    return absl::AbortedError(
        absl::StrCat("report.lineage: version ", result.version.value(),
                     " is of weights that are over; the run has gone back to a checkpoint"));
  }
  if (!training_.begun() || result.version > latest_) {
    return absl::InvalidArgumentError(
        absl::StrCat("report.version: this run has published no version ", result.version.value()));
  }
  CONADV_RETURN_IF_ERROR(
      evaluation_.OnResult(result, training_.last_version(), training_.finished()));
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const TickEvent&) {
  const absl::Duration away = now_ - std::exchange(last_tick_, now_);
  // This process itself was stopped for a while.
  if (away > options_.job.server.lease / 2) members_.Forgive(away, now_);
  DropSilent();
  CheckShards();
  CheckWorkers();
  CheckEvaluator();
  AdvanceSaves();
  Advance();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const FailEvent& event) {
  Fail(event.reason);
  return absl::OkStatus();
}

void CoordinatorMachine::Lose(MemberId id) {
  const Member* const member = members_.Find(id);
  if (member == nullptr) return;
  const bool ends_lineage = member->hello.role == Role::kShard && !member->finish_sent;
  const absl::Status reason = absl::UnavailableError(
      absl::StrCat("shard ", member->hello.shard, " at ", member->hello.address,
                   " is gone; the run goes back to its newest checkpoint"));
  Remove(id);
  if (ends_lineage) Fail(reason);
}

void CoordinatorMachine::Remove(MemberId id) {
  const Member* const member = members_.Find(id);
  if (member == nullptr) return;
  const Role role = member->hello.role;
  members_.Remove(id);
  if (role == Role::kEvaluator) evaluation_.OnGone(id, trained(), now_);
  if (role != Role::kWorker) return;
  training_.Remove(id);
  // A worker that left before it offered anything binds nobody to its plan.
  if (!training_.begun() && !training_.has_workers()) training_.SetPlan(std::nullopt);
  if (phase_ == Phase::kInitializing && offering_ == id) phase_ = Phase::kWaitingForWorkers;
}

void CoordinatorMachine::Fail(const absl::Status& reason) {
  if (!failure_.ok()) return;
  failure_ = reason;
  AnswerSaves(reason, std::nullopt);
  for (const auto& [id, member] : members_.all()) Close(id, reason);
  members_.Clear();
}

void CoordinatorMachine::Send(MemberId to, const MemberMessage& message) {
  // A copy in place: GCC 12 warns of a variant that is moved.
  actions_.emplace_back(std::in_place_type<SendAction>, to, message);
}

void CoordinatorMachine::SendToShards(const MemberMessage& message) {
  for (const ShardSeats::Seat& seat : seats_.all()) {
    if (members_.Find(seat.member) != nullptr) Send(seat.member, message);
  }
}

void CoordinatorMachine::SendFinished(Role role) {
  for (const MemberId id : members_.TakeUninformed(role)) Send(id, FinishedMessage{});
}

void CoordinatorMachine::Close(MemberId id, const absl::Status& status) {
  actions_.push_back(CloseAction{id, status});
}

}  // namespace conadv
