// SPDX-License-Identifier: Apache-2.0
// What the machine shows of itself.
#include "server/coordinate/view.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "server/coordinate/machine.h"

namespace conadv {
namespace {

void AppendSentence(std::string* text, absl::string_view sentence) {
  if (sentence.empty()) return;
  absl::StrAppend(text, text->empty() ? "" : "; ", sentence);
}

}  // namespace

absl::StatusOr<std::vector<std::string>> CoordinatorMachine::Servers() const {
  if (!failure_.ok()) return failure_;
  if (seats_.complete()) return seats_.Addresses();
  return absl::UnavailableError(
      absl::StrCat("waiting for shards ", absl::StrJoin(seats_.Missing(), ", "), " to join"));
}

CoordinatorView CoordinatorMachine::View(absl::Time now) const {
  CoordinatorView view;
  view.phase = phase_;
  view.message = MessageNow();
  view.warning = WarningNow();
  view.steps = training_.plan() != nullptr ? training_.plan()->steps : 0;
  view.step = training_.oldest();
  view.tau = tau_;
  view.training_time = training_.TimeTaken(now);
  view.units = training_.counts();
  for (const auto& [id, member] : members_.all()) {
    view.members.emplace_back(member, training_.UnitsOf(id));
  }
  view.evaluation = evaluation_.result();
  if (!checkpoints_.common().empty()) view.checkpoint = checkpoints_.common().back();
  return view;
}

std::string CoordinatorMachine::MessageNow() const {
  if (!failure_.ok()) return std::string(failure_.message());
  switch (phase_) {
    case Phase::kWaitingForShards:
      return absl::StrCat("waiting for shards ", absl::StrJoin(seats_.Missing(), ", "));
    case Phase::kRestoring: return "going back to the newest checkpoint";
    case Phase::kWaitingForWorkers: return "waiting for workers";
    case Phase::kInitializing: return "a worker offers the initial weights";
    case Phase::kTraining: return training_.has_workers() ? "" : "waiting for workers";
    case Phase::kWritingLastCheckpoint:
      return absl::StrCat("writing the last checkpoint: waiting for shards ",
                          absl::StrJoin(checkpoints_.last_unanswered(), ", "));
    case Phase::kEvaluating: return "evaluating the final weights";
    case Phase::kFinished: return "finished";
  }
  return "";
}

std::string CoordinatorMachine::WarningNow() const {
  std::string warning;
  for (uint32_t shard = 0; shard < seats_.all().size(); ++shard) {
    const std::string& error = seats_.all()[shard].checkpoint_error;
    if (error.empty()) continue;
    AppendSentence(&warning, absl::StrCat("shard ", shard, " writes no checkpoints: ", error));
  }
  for (const uint32_t shard : hanging_disks_) {
    AppendSentence(&warning, absl::StrCat("shard ", shard,
                                          " has not written its last checkpoint: its disk hangs"));
  }
  AppendSentence(&warning, restore_.warning());
  AppendSentence(&warning, evaluation_.warning());
  return warning;
}

}  // namespace conadv
