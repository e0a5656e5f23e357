// SPDX-License-Identifier: Apache-2.0
#include "cli/restart_policy.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"

namespace conadv {

RestartDecision DecideRestart(const ProcessExit& exit, absl::Time now,
                              const RestartOptions& options, RestartState* state) {
  const std::string what = absl::StrCat(exit.process, " ended with ", exit.exit.ToString());
  if (exit.role == ProcessRole::kServer) {
    return {RestartAction::kStop, now, absl::StrCat(what, " before the run was finished")};
  }
  if (exit.exit.ok()) return {RestartAction::kLeft, now, absl::StrCat(exit.process, " has left")};

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
  if (state->restarts >= options.max_restarts) {
    return {RestartAction::kStop, now,
            absl::StrCat(what, ", and ", state->restarts, " restarts have been made already")};
  }
  ++state->restarts;
  const absl::Duration delay =
      std::min(options.first_delay * std::exp2(history.in_a_row - 1), options.max_delay);
  return {RestartAction::kRestart, now + delay,
          absl::StrCat(what, "; starting it again in ", absl::FormatDuration(delay))};
}

}  // namespace conadv
