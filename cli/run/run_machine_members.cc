// SPDX-License-Identifier: Apache-2.0
// What a run machine hears of the run: its records, who takes part, and our own membership.
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/run/run_machine.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

// How long before the run's end the workers may have ended.
constexpr absl::Duration kWithoutWorkers = absl::Seconds(10);

}  // namespace

void RunMachine::On(const MetricsArrived& event) {
  if (phase_ == RunPhase::kShutdown || phase_ == RunPhase::kOver) return;
  progress_.final_version = event.final_version;
  may_hear_more_ = event.may_have_more;
  for (const MetricsItem& item : event.items) {
    if (const auto* lineage = std::get_if<LineageBegins>(&item)) {
      GoBack(*lineage);
    } else {
      const auto& record = std::get<v1::MetricsRecord>(item);
      Apply(record, now_, &progress_);
      if (record.has_evaluation()) NoteWarnings();
    }
  }
  if (metrics_.IsDue(now_)) Do(WriteMetrics{});
  if (replaces_ && progress_.version > 0) Do(DropEarlierRun{});
}

void RunMachine::NoteWarnings() {
  for (const std::string& warning : progress_.evaluation.warnings) {
    Note(absl::StrCat("warning: evaluation of version ", progress_.evaluated_version, ": ",
                      Printable(warning)));
  }
}

void RunMachine::GoBack(const LineageBegins& lineage) {
  const std::string from =
      absl::StrCat("the run goes on from the checkpoint of version ", lineage.version);
  if (progress_.version > lineage.version) {
    const uint64_t again = progress_.version - lineage.version;
    result_.updates_recomputed += again;
    Note(absl::StrCat(from, "; ", again, " updates are computed again"));
  } else if (lineage.version > 0) {
    Note(from);
  }
  progress_.version = lineage.version;
  progress_.training_time = absl::Seconds(lineage.seconds_before);
}

void RunMachine::On(const MetricsWritten& event) {
  if (std::string note = metrics_.OnWritten(event, now_); !note.empty()) Note(std::move(note));
  if (phase_ == RunPhase::kFinished && weights_.awaits_records()) {
    Act(weights_.OnRecords(metrics_.status(), coordinator_, now_));
  }
}

void RunMachine::On(const EarlierRunDropped& event) {
  replaces_ = event.is_aside;
  if (!event.status.ok()) Note(std::string(event.status.message()));
}

void RunMachine::On(const MembersSeen& event) {
  if (!Trains()) return;
  liveness_.OnAnswer(ServerName(0), event.members, now_);
  if (!event.warning.empty() && !warned_) Note(absl::StrCat("warning: ", event.warning));
  warned_ = !event.warning.empty();
}

void RunMachine::CheckLiveness() {
  for (const std::string& process : liveness_.TakeLost(now_)) {
    Note(absl::StrCat(process, " runs, but takes no part any more; killing it"));
    Do(KillProcess{process});
  }
}

void RunMachine::On(const MembershipSeen& event) { membership_.OnSeen(event); }

void RunMachine::CheckMembership() {
  switch (membership_.Check(now_)) {
    case OwnMembership::Verdict::kNothingNew: return;
    case OwnMembership::Verdict::kRunIsOver:
      if (phase_ == RunPhase::kTraining) Enter(RunPhase::kFinished);
      return;
    case OwnMembership::Verdict::kJoinAgain: return JoinRunAgain();
    case OwnMembership::Verdict::kEnded:
      // It has said why; what else is in its log came after.
      return Fail(absl::AbortedError(
          absl::StrCat("the coordinator ended the run: ", membership_.reason(),
                       " (log: ", processes_.at(ServerName(0)).spec.log_path, ")")));
  }
}

void RunMachine::JoinRunAgain() {
  // The end is not the end any more, unless a coordinator says so again.
  Enter(RunPhase::kTraining);
  weights_.OnRunWentBack();
  Do(JoinAgain{coordinator_});
  processes_.RestartThoseWhoLeft(now_);
}

void RunMachine::CheckWorkers() {
  if (phase_ == RunPhase::kFinished || progress_.trained() ||
      processes_.AnyNowOrLater(ProcessRole::kWorker)) {
    workers_gone_.reset();
    return;
  }
  // They may know of the run's end before we do.
  if (!workers_gone_.has_value()) workers_gone_ = now_;
  if (now_ - *workers_gone_ < kWithoutWorkers) return;
  Fail(absl::AbortedError("every worker has left before the last step"));
}

}  // namespace conadv
