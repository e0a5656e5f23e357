// SPDX-License-Identifier: Apache-2.0
// The machine's operation: checkpoints out of turn, members that are to leave or are stopped, and
// what is set while a run goes on.
#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"
#include "common/base/status_macros.h"
#include "server/coordinate/machine.h"

namespace conadv {
namespace {

// After so long without a new version the run counts as standing still.
constexpr absl::Duration kStill = absl::Seconds(1);
// People who wait for a checkpoint at once.
constexpr size_t kMostSaves = 64;
// Workers that an error names.
constexpr size_t kMostNamed = 8;

}  // namespace

absl::Status CoordinatorMachine::On(const SaveEvent&) {
  BeginStop();
  AdvanceSaves();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const StoppingEvent& event) {
  if (members_.Find(event.id, Role::kShard) == nullptr) return absl::OkStatus();
  BeginStop();
  stopping_.insert(event.id);
  AdvanceSaves();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const CheckpointEvent& event) {
  CONADV_RETURN_IF_ERROR(failure_);
  if (!training_.begun()) {
    return absl::FailedPreconditionError(
        "there is nothing to save yet: training has not begun; conadv status says what it waits "
        "for");
  }
  if (saves_.size() >= kMostSaves) {
    return absl::ResourceExhaustedError(
        absl::StrCat(kMostSaves, " calls wait for a checkpoint already"));
  }
  saves_.push_back({event.ticket, latest_});
  AdvanceSaves();
  return absl::OkStatus();
}

void CoordinatorMachine::BeginStop() {
  stops_ = true;
  if (!training_.begun() || stop_end_.has_value()) return;
  // What is begun is finished, so that the shards come to rest at the same version.
  stop_end_ = training_.untouched();
  LimitLeases();
}

void CoordinatorMachine::LimitLeases() {
  if (!training_.begun()) return;
  std::optional<conadv::Step> end = stop_end_;
  if (set_.has_value()) end = std::min(end.value_or(set_->back().step), set_->back().step);
  training_.SetEnd(end);
}

bool CoordinatorMachine::StopSaved() const {
  if (!failure_.ok() || !training_.begun() || training_.finished() || save_failed_) return true;
  return stops_ && checkpoints_.newest().has_value() && *checkpoints_.newest() >= latest_;
}

void CoordinatorMachine::AnswerSaves(const absl::StatusOr<Version>& answer,
                                     std::optional<Version> up_to) {
  std::vector<SaveRequest> left;
  for (const SaveRequest& request : saves_) {
    if (up_to.has_value() && request.wanted > *up_to) {
      left.push_back(request);
    } else {
      actions_.emplace_back(std::in_place_type<SavedAction>, SavedAction{request.ticket, answer});
    }
  }
  saves_ = std::move(left);
}

void CoordinatorMachine::AdvanceSaves() {
  if ((saves_.empty() && !stops_) || !failure_.ok()) return;
  if (training_.begun()) {
    const bool over = training_.finished() ? checkpoints_.last_answered() : checkpoints_.saved();
    const std::optional<Version> newest = checkpoints_.newest();
    if (newest.has_value()) AnswerSaves(*newest, newest);
    const bool failed =
        over && (training_.finished() ? !saves_.empty() : checkpoints_.save_failed());
    if (failed) {
      AnswerSaves(
          absl::AbortedError(absl::StrCat("the checkpoint was not written: ", WarningNow())),
          std::nullopt);
      save_failed_ = stops_;
    }
    if (over && !training_.finished()) checkpoints_.EndSave();
  }
  if (StopSaved()) {
    for (const MemberId id : std::exchange(stopping_, {})) {
      if (members_.Find(id) != nullptr) Send(id, SavedMessage{});
    }
  }
  // The last version's comes by itself.
  if (StopSaved() && saves_.empty()) return;
  if (!training_.begun() || training_.finished()) return;
  // Where steps take long, or nobody makes any, what there is at rest is saved at once.
  const bool moves = training_.has_workers() && now_ - latest_since_ < kStill;
  const std::optional<Version> target = checkpoints_.Save(latest_, moves, now_);
  if (target.has_value()) SendToShards(CheckpointMessage{*target, checkpoints_.common()});
}

absl::StatusOr<MemberId> CoordinatorMachine::FindWorker(const std::string& worker) const {
  std::vector<std::string> named;
  std::vector<MemberId> found;
  uint64_t number = 0;
  const bool is_number = absl::SimpleAtoi(worker, &number);
  for (const MemberId id : members_.With(Role::kWorker)) {
    const std::string& name = members_.Find(id)->hello.name;
    if (is_number && id == MemberId(number)) return id;
    if (name == worker) found.push_back(id);
    if (named.size() < kMostNamed) named.push_back(absl::StrCat(name, " (", id.value(), ")"));
  }
  if (found.size() == 1) return found.front();
  if (found.empty()) {
    return absl::NotFoundError(absl::StrCat(
        "there is no worker ", Printable(worker), "; ",
        named.empty() ? "there are none" : absl::StrCat("there are ", absl::StrJoin(named, ", ")),
        members_.With(Role::kWorker).size() > kMostNamed ? " and others" : ""));
  }
  return absl::FailedPreconditionError(
      absl::StrCat(found.size(), " workers are called ", Printable(worker),
                   "; say which by its number, as conadv workers shows it"));
}

absl::Status CoordinatorMachine::On(const DrainEvent& event) {
  CONADV_RETURN_IF_ERROR(failure_);
  CONADV_ASSIGN_OR_RETURN(const MemberId id, FindWorker(event.worker));
  Member& member = *members_.Find(id);
  if (!std::exchange(member.drains, true)) {
    training_.Drain(id);
    Send(id, DrainMessage{});
  }
  const std::set<MemberId>& workers = members_.With(Role::kWorker);
  const auto remaining = std::count_if(
      workers.begin(), workers.end(), [this](MemberId one) { return !members_.Find(one)->drains; });
  drained_ = DrainedWorker{id, member.hello.name, training_.UnitsOf(id).size(),
                           static_cast<size_t>(remaining)};
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const SetTauEvent& event) {
  CONADV_RETURN_IF_ERROR(failure_);
  const TrainingOptions& training = options_.job.training;
  if (training.algorithm != Algorithm::kConAdv) {
    return absl::FailedPreconditionError(
        absl::StrCat("training.tau is of CONADV, and this run's training.algorithm is ",
                     AlgorithmName(training.algorithm)));
  }
  if (const uint32_t most = MostTau(options_.job); event.tau > most) {
    return absl::FailedPreconditionError(
        absl::StrCat("training.tau: this run keeps versions for at most ", most, ", got ",
                     event.tau, "; a job with server.retain: ", event.tau + 2, " has room for it"));
  }
  // Before the shards are where the run goes on from, it is not known which run it is.
  if (phase_ < Phase::kWaitingForWorkers || trained()) {
    return absl::FailedPreconditionError(absl::StrCat(
        "training.tau cannot be set now: ", MessageNow().empty() ? "it is over" : MessageNow()));
  }
  if (set_.has_value()) {
    return absl::AbortedError("another change is being written; try again");
  }
  const conadv::Step earliest = training_.begun() ? training_.untouched() : conadv::Step(0);
  const conadv::Step from = event.from.value_or(earliest);
  const auto version = [&training](conadv::Step step) {
    return step.value() * training.updates_per_step();
  };
  if (from < earliest) {
    return absl::FailedPreconditionError(absl::StrCat(
        "the units of version ", version(from),
        " have been handed out; the first that can be changed is ", version(earliest)));
  }
  if (training_.begun() && from.value() >= training_.plan()->steps) {
    return absl::FailedPreconditionError("all units have been handed out: there is none to change");
  }
  TauChanges changes = WithTau(tau_, {from, event.tau});
  CONADV_RETURN_IF_ERROR(CheckTauChanges(changes));
  const uint32_t before = TauAt(training.tau, tau_, from);
  const Lineage run = restore_.target().has_value() ? restore_.target()->run : options_.lineage;
  prepared_ = PreparedTau{from, before, {run, changes}};
  set_ = std::move(changes);
  LimitLeases();
  return absl::OkStatus();
}

absl::Status CoordinatorMachine::On(const TauJournalledEvent& event) {
  const std::optional<TauChanges> changes = std::exchange(set_, std::nullopt);
  if (!changes.has_value() || !failure_.ok()) return absl::OkStatus();
  LimitLeases();
  if (event.written) ApplySettings(*changes);
  Advance();
  return absl::OkStatus();
}

void CoordinatorMachine::ApplySettings(TauChanges tau) {
  tau_ = std::move(tau);
  if (training_.begun()) training_.SetTau(tau_);
  if (tau_.empty()) return;
  for (const MemberId id : members_.With(Role::kWorker)) Send(id, SettingsMessage{tau_});
}

}  // namespace conadv
