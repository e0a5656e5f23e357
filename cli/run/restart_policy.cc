// SPDX-License-Identifier: Apache-2.0
#include "cli/run/restart_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/program/exit_code.h"

namespace conadv {

namespace {

// A run's weights do not depend on its evaluator.
RestartDecision GiveUp(ProcessRole role, absl::Time now, const std::string& why) {
  if (role != ProcessRole::kEvaluator) return {RestartAction::kStop, now, why};
  return {RestartAction::kGoOnWithout, now,
          absl::StrCat(why, "; the run goes on without it, and without a final evaluation")};
}

}  // namespace

RestartDecision DecideRestart(const ProcessExit& exit, absl::Time now,
                              const RestartOptions& options, RestartState* state) {
  const std::string what = absl::StrCat(exit.process, " ended with ", exit.exit.ToString());
  // A server that ends by itself with an error has said why the run cannot go on.
  if (exit.role == ProcessRole::kServer && !exit.exit.by_signal() && !exit.exit.ok()) {
    return {RestartAction::kStop, now, absl::StrCat(what, " before the run was finished")};
  }
  // A worker may leave, or be told to. There is one evaluator, and without it no final evaluation.
  const bool left = exit.exit.ok() || (exit.exit.signal == 0 && exit.exit.by_signal());
  if (exit.role == ProcessRole::kWorker && left) {
    return {RestartAction::kLeft, now, absl::StrCat(exit.process, " has left")};
  }

  // It has seen what it was given, and will see the same again.
  if (exit.exit.signal == 0 && exit.exit.code == kExitNever) {
    return GiveUp(exit.role, now, what);
  }

  RestartState::History& history = state->histories[exit.process];
  const bool early = now - exit.started < options.early;
  if (!early) history = {};
  ++history.in_a_row;
  const bool refused = early && !exit.exit.by_signal();
  history.early_failures = refused ? history.early_failures + 1 : 0;
  if (history.early_failures >= options.same_failures) {
    return GiveUp(
        exit.role, now,
        absl::StrCat(what, " ", history.early_failures, " times, each soon after its start"));
  }
  const bool evaluator = exit.role == ProcessRole::kEvaluator;
  std::deque<absl::Time>& restarts = evaluator ? state->evaluator_restarts : state->restarts;
  while (!restarts.empty() && now - restarts.front() > options.window) restarts.pop_front();
  if (restarts.size() >= (evaluator ? options.max_evaluator_restarts : options.max_restarts)) {
    return GiveUp(exit.role, now,
                  absl::StrCat(what, ", and ", restarts.size(), " restarts in ",
                               absl::FormatDuration(options.window), " have been made already"));
  }
  restarts.push_back(now);
  absl::Duration delay =
      std::min(options.first_delay * std::exp2(history.in_a_row - 1), options.max_delay);
  // Everyone waits for a server.
  if (exit.role == ProcessRole::kServer && history.in_a_row == 1) delay = absl::ZeroDuration();
  return {RestartAction::kRestart, now + delay,
          absl::StrCat(what, "; starting it again ",
                       delay == absl::ZeroDuration()
                           ? "now"
                           : absl::StrCat("in ", absl::FormatDuration(delay)))};
}

}  // namespace conadv
