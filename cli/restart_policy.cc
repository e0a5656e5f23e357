// SPDX-License-Identifier: Apache-2.0
#include "cli/restart_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace conadv {

RestartDecision DecideRestart(const ProcessExit& exit, absl::Time now,
                              const RestartOptions& options, RestartState* state) {
  const std::string what = absl::StrCat(exit.process, " ended with ", exit.exit.ToString());
  // A server that ends by itself with an error has said why the run cannot go on.
  if (exit.role == ProcessRole::kServer && exit.exit.signal == 0 && !exit.exit.ok()) {
    return {RestartAction::kStop, now, absl::StrCat(what, " before the run was finished")};
  }
  // A worker may leave. There is one evaluator, and without it no final evaluation.
  if (exit.role == ProcessRole::kWorker && exit.exit.ok())
    return {RestartAction::kLeft, now, absl::StrCat(exit.process, " has left")};

  RestartState::History& history = state->histories[exit.process];
  const bool early = now - exit.started < options.early;
  if (!early) history = {};
  ++history.in_a_row;
  const bool refused = early && exit.exit.signal == 0;
  history.early_failures = refused ? history.early_failures + 1 : 0;
  if (history.early_failures >= options.same_failures) {
    return {RestartAction::kStop, now,
            absl::StrCat(what, " ", history.early_failures, " times, each soon after its start")};
  }
  while (!state->restarts.empty() && now - state->restarts.front() > options.window) {
    state->restarts.pop_front();
  }
  if (state->restarts.size() >= options.max_restarts) {
    return {RestartAction::kStop, now,
            absl::StrCat(what, ", and ", state->restarts.size(), " restarts in ",
                         absl::FormatDuration(options.window), " have been made already")};
  }
  state->restarts.push_back(now);
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
