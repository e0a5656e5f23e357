// SPDX-License-Identifier: Apache-2.0
// The coordinator's course: from the first worker to the last one's leave.
#include <algorithm>
#include <map>

#include "absl/strings/str_cat.h"
#include "server/coordinate/coordinator.h"

namespace conadv {
void Coordinator::Advance() {
  if (!failure_.ok() || !MissingShards().empty()) return;
  if (!restored_) {
    BeginRestore();
  } else if (!initialized_) {
    AskForWeights();
  } else if (!leases_->finished()) {
    GrantUnits();
  } else {
    WindDown();
  }
}

void Coordinator::AskForWeights() {
  if (offering_.has_value()) return;
  Member* const worker = FirstOf(Role::kWorker);
  if (worker == nullptr) return;
  offering_ = worker->id;
  worker->sink->Send(OfferMessage{});
}

void Coordinator::GrantUnits() {
  std::map<MemberId, std::vector<Unit>> grants;
  while (const std::optional<Unit> next = leases_->Next()) {
    const auto failed = failed_units_.find(*next);
    std::optional<MemberId> id = failed == failed_units_.end()
                                     ? loads_.Next(options_.job.training, lease_options_)
                                     : loads_.Another(failed->second);
    // What everyone waits for is nobody's share: whoever is full of later steps waits for it too.
    if (!id.has_value() && options_.job.training.sync() &&
        next->step == leases_->oldest_unfinished()) {
      id = loads_.Substitute({});
    }
    if (!id.has_value()) break;
    if (leases_->held_by(*id) == 0 || next->step == oldest_) members_[*id].turn = clock_->Now();
    grants[*id].push_back(*leases_->Lease(*id));
  }
  for (auto& [id, units] : grants) members_[id].sink->Send(GrantMessage{std::move(units)});
}

void Coordinator::WindDown() {
  // From here on workers and evaluator may leave for good: what is lost now could not be made
  // again. A shard that cannot write has said so, and holds nobody up; nor does one whose disk
  // hangs, for long.
  if (!LastCheckpointOver()) return;
  TellFinished(Role::kWorker);
  if (!FinalEvaluationOver()) return;
  TellFinished(Role::kEvaluator);
  TellFinished(Role::kObserver);
  // Shards serve pulls until everyone else is gone.
  if (!HasMembers(/*shards_too=*/false)) TellFinished(Role::kShard);
  if (!HasMembers(/*shards_too=*/true)) over_.NotifyAll();
}

bool Coordinator::FinalEvaluationOver() {
  if (final_evaluation_done_) return true;
  if (evaluators_stuck_ >= kMostStuckEvaluators || evaluators_lost_ >= kMostLostEvaluators) {
    final_evaluation_done_ = true;  // without a result
    return true;
  }
  if (FirstOf(Role::kEvaluator) != nullptr) {
    if (!evaluating_.has_value()) {
      StartEvaluation(LastVersion(), options_.job.evaluation.attack_steps > 0);
    }
    return false;
  }
  const absl::Time since = std::max(*last_step_done_, evaluator_lost_);
  const bool patient = clock_->Now() - since < options_.evaluator_patience;
  if (!patient) final_evaluation_done_ = true;
  return final_evaluation_done_;
}

void Coordinator::StartEvaluation(Version version, bool robust) {
  Member* const evaluator = FirstOf(Role::kEvaluator);
  if (evaluator == nullptr || evaluating_.has_value()) return;
  evaluating_ = evaluator->id;
  evaluator->turn = clock_->Now();
  evaluator->sink->Send(EvaluateMessage{version, robust});
}

void Coordinator::OnPublished(Version version) {
  MutexLock lock(&mutex_);
  if (!initialized_ || !failure_.ok()) return;
  latest_ = version;
  latest_since_ = clock_->Now();
  AskForCheckpoint();
  const uint64_t every = options_.job.evaluation.every * options_.job.training.updates_per_step();
  const bool due = every > 0 && version.value() > 0 && version.value() % every == 0;
  if (!due || version >= LastVersion()) return;
  StartEvaluation(version, /*robust=*/false);
}

absl::Status Coordinator::OnEvaluated(const EvaluationResult& result) {
  MutexLock lock(&mutex_);
  const auto is_fraction = [](double value) { return value >= 0 && value <= 1; };
  if (result.lineage.value() != 0 && result.lineage != options_.lineage) {
    return absl::AbortedError(
        absl::StrCat("report.lineage: version ", result.version.value(),
                     " is of weights that are over; the run has gone back to a checkpoint"));
  }
  if (!initialized_ || result.version > latest_) {
    return absl::InvalidArgumentError(
        absl::StrCat("report.version: this run has published no version ", result.version.value()));
  }
  if (result.examples == 0 || !is_fraction(result.clean_accuracy) ||
      !is_fraction(result.robust_accuracy.value_or(0))) {
    return absl::InvalidArgumentError("report: needs examples, and accuracies from 0 to 1");
  }
  evaluation_ = result;
  evaluating_.reset();
  evaluators_stuck_ = 0;
  // One that was asked for earlier may have found the last version, but it left out the attack.
  const bool whole =
      options_.job.evaluation.attack_steps == 0 || result.robust_accuracy.has_value();
  const bool last = plan_.has_value() && result.version >= LastVersion() && whole;
  if (last && leases_.has_value() && leases_->finished()) final_evaluation_done_ = true;
  Advance();
  return absl::OkStatus();
}

void Coordinator::TellFinished(Role role) {
  for (auto& [id, member] : members_) {
    if (member.hello.role != role || member.told_finished) continue;
    member.told_finished = true;
    member.sink->Send(FinishedMessage{});
  }
}

Coordinator::Member* Coordinator::FirstOf(Role role) {
  const std::set<MemberId>& ids = by_role_[role];
  return ids.empty() ? nullptr : &members_.at(*ids.begin());
}

bool Coordinator::HasMembers(bool shards_too) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& entry) {
    const HelloMessage& hello = entry.second.hello;
    return !hello.local && (shards_too || hello.role != Role::kShard);
  });
}

void Coordinator::SetStraggles(Member& member, bool straggles) {
  member.straggles = straggles;
  loads_.SetStraggles(member.id, straggles);
}

Version Coordinator::LastVersion() const {
  return Version(plan_->steps * options_.job.training.updates_per_step());
}

absl::Status Coordinator::WaitUntilOver(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  const absl::Time deadline = clock_->Now() + timeout;
  while (failure_.ok() && !(last_step_done_.has_value() && final_evaluation_done_ &&
                            !HasMembers(/*shards_too=*/true))) {
    const absl::Duration left = deadline - clock_->Now();
    if (left <= absl::ZeroDuration()) return absl::DeadlineExceededError("the run goes on");
    over_.WaitFor(&mutex_, left);
  }
  return failure_;
}

}  // namespace conadv
