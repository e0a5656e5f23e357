// SPDX-License-Identifier: Apache-2.0
// What time brings to a run, and the ways in which it ends: with its final weights, interrupted, or
// failed.
#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/run/run_machine.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

constexpr absl::Duration kTick = absl::Seconds(1);
// While something is awaited of which no event comes.
constexpr absl::Duration kLook = absl::Milliseconds(10);
// For a checkpoint before we stop: more than a server takes for it.
constexpr absl::Duration kSave = absl::Seconds(20);
// How long the last records may take after the end.
constexpr absl::Duration kLastRecords = absl::Seconds(5);
// For what a server that is gone has said.
constexpr absl::Duration kGoodbye = absl::Seconds(2);

}  // namespace

absl::Time RunMachine::NextTick(absl::Time now) const {
  absl::Time next = now + kTick;
  switch (phase_) {
    case RunPhase::kStarting:
    case RunPhase::kTraining:
    case RunPhase::kFinished:
      return std::min({next, membership_.next_check(), processes_.next_restart()});
    case RunPhase::kLastRecords: return now + kLook;
    case RunPhase::kShutdown: return std::min(next, shutdown_.deadline());
    case RunPhase::kNotListening:
    case RunPhase::kSaving:
    case RunPhase::kAskCheckpoint:
    case RunPhase::kOver: break;
  }
  return next;
}

void RunMachine::On(const Tick&) {
  switch (phase_) {
    case RunPhase::kStarting:
    case RunPhase::kTraining:
    case RunPhase::kFinished:
      for (const ProcessSpec& spec : processes_.TakeDueRestarts(now_)) Start(spec);
      break;
    case RunPhase::kSaving:
      if (now_ - since_ > kSave) Enter(RunPhase::kLastRecords);
      break;
    case RunPhase::kLastRecords: return TakeLastRecords();
    case RunPhase::kShutdown: shutdown_.OnTick(now_); return EndIfNobodyRuns();
    case RunPhase::kNotListening:
    case RunPhase::kAskCheckpoint:
    case RunPhase::kOver: return;
  }
  if (phase_ == RunPhase::kStarting) CheckListening();
  if (Trains()) CheckLiveness();
  if (Trains()) CheckMembership();
  if (Trains()) CheckWorkers();
  if (phase_ == RunPhase::kFinished) AdvanceWeights();
  if (phase_ < RunPhase::kLastRecords) Do(ShowProgress{});
}

void RunMachine::AdvanceWeights() {
  if (const auto timeout = weights_.BeginFetch(now_); timeout.has_value()) {
    return Do(FetchWeights{coordinator_, *timeout});
  }
  if (!weights_.fetched()) return;
  const bool heard_all =
      progress_.trained() && progress_.evaluated_version == progress_.final_version;
  if (!heard_all && now_ - since_ < kLastRecords) return;
  Act(weights_.Take(progress_.final_version));
}

void RunMachine::On(const WeightsFetched& event) { weights_.OnFetched(event); }

void RunMachine::Act(const FinalWeights::Decision& decision) {
  if (!decision.note.empty()) Note(decision.note);
  switch (decision.verdict) {
    case FinalWeights::Verdict::kFetchAgain: return;
    case FinalWeights::Verdict::kNotThereYet: return Enter(RunPhase::kTraining);
    case FinalWeights::Verdict::kWriteRecords: return Do(WriteMetrics{});
    case FinalWeights::Verdict::kDone: return Finish();
    case FinalWeights::Verdict::kFailed: return Fail(decision.status);
    case FinalWeights::Verdict::kNotWritten: return FailSaved(decision.status, "");
  }
}

void RunMachine::Finish() {
  result_.version = weights_.version();
  result_.steps = result_.version / progress_.updates_per_step;
  result_.seconds = absl::ToDoubleSeconds(progress_.training_time);
  result_.examples_per_second = progress_.examples_per_second();
  if (progress_.evaluated_version == result_.version) {
    result_.clean_accuracy = progress_.clean_accuracy;
    result_.robust_accuracy = progress_.robust_accuracy;
    result_.evaluation = {progress_.evaluation.attacks, progress_.evaluation.corruptions,
                          progress_.evaluation.warnings};
  }
  result_.weights_crc32c = weights_.crc32c();
  Do(ShowProgress{/*last=*/true});
  if (std::string missing = metrics_.Missing(progress_); !missing.empty()) {
    result_.problems.push_back(std::move(missing));
  }
  const std::string& lost = processes_.at(kEvaluatorName).lost;
  if (!result_.clean_accuracy.has_value() && !lost.empty()) {
    result_.problems.push_back(absl::StrCat("there is no final evaluation: ", lost));
  }
  Enter(RunPhase::kShutdown);
  shutdown_.Begin(/*run_is_done=*/true, now_);
  EndIfNobodyRuns();
}

void RunMachine::On(const Interrupted& event) {
  if (interrupted_by_ == 0) interrupted_by_ = event.signal;
  switch (phase_) {
    case RunPhase::kStarting:
    case RunPhase::kNotListening:
    case RunPhase::kTraining:
    case RunPhase::kFinished: break;
    case RunPhase::kSaving: return Enter(RunPhase::kLastRecords);
    case RunPhase::kLastRecords:
    case RunPhase::kAskCheckpoint:
    case RunPhase::kOver: return;
    case RunPhase::kShutdown: shutdown_.Hurry(now_); return EndIfNobodyRuns();
  }
  const bool can_save = progress_.final_version > 0 && !progress_.trained();
  if (!can_save || !processes_.Runs(ServerName(0))) return Enter(RunPhase::kLastRecords);
  Enter(RunPhase::kSaving);
  Note("saving a checkpoint, then stopping; interrupt again to stop at once");
  // It asks every shard for one, and the workers go on until it is there.
  Do(TerminateProcess{ServerName(0)});
}

void RunMachine::TakeLastRecords() {
  // What the last updates said is on its way to us.
  if (may_hear_more_ && now_ - since_ < kGoodbye) return;
  const std::string missing = metrics_.status().ok() ? "" : metrics_.Missing(progress_);
  FailSaved(StoppedBySignal(interrupted_by_, "interrupted; the run has been stopped"),
            missing.empty() ? "" : absl::StrCat("; ", missing));
}

void RunMachine::FailSaved(absl::Status status, std::string rest) {
  failure_ = std::move(status);
  failure_rest_ = std::move(rest);
  Enter(RunPhase::kAskCheckpoint);
  Do(FindCheckpoint{});
}

void RunMachine::On(const CheckpointFound& event) {
  if (phase_ != RunPhase::kAskCheckpoint) return;
  const std::string how = event.version.has_value()
                              ? absl::StrCat("; conadv train --resume=", deployment_.directory,
                                             " goes on from version ", *event.version)
                              : "";
  Fail(Reworded(failure_, absl::StrCat(failure_.message(), how, failure_rest_)));
}

void RunMachine::Fail(absl::Status status) {
  failure_ = std::move(status);
  Enter(RunPhase::kShutdown);
  shutdown_.Begin(/*run_is_done=*/false, now_);
  EndIfNobodyRuns();
}

void RunMachine::EndIfNobodyRuns() {
  if (phase_ != RunPhase::kShutdown || !shutdown_.over()) return;
  Enter(RunPhase::kOver);
  if (!failure_.ok()) return Do(EndRun{failure_});
  for (const std::string& problem : shutdown_.problems()) result_.problems.push_back(problem);
  Do(EndRun{result_});
}

}  // namespace conadv
