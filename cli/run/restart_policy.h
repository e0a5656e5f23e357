// SPDX-License-Identifier: Apache-2.0
// Whether a process of a local run that ended is started again. A pure function of (state, exit,
// now), with a reason.
#ifndef CONADV_CLI_RUN_RESTART_POLICY_H_
#define CONADV_CLI_RUN_RESTART_POLICY_H_

#include <deque>
#include <map>
#include <string>

#include "absl/time/time.h"
#include "cli/process/process.h"

namespace conadv {

enum class ProcessRole { kServer, kWorker, kEvaluator };

struct RestartOptions {
  // Of all processes together, within `window`. A fault may take all of them at once.
  size_t max_restarts = 20;
  absl::Duration window = absl::Minutes(10);
  // Of the evaluator, which has a budget of its own: the weights do not need it.
  size_t max_evaluator_restarts = 5;
  absl::Duration first_delay = absl::Milliseconds(200);  // doubles with every restart in a row
  absl::Duration max_delay = absl::Seconds(5);
  // A process that ends sooner than this after its start never got to work.
  absl::Duration early = absl::Seconds(10);
  // So often in a row by an exit of its own and early: it will never work.
  int same_failures = 3;
};

struct RestartState {
  struct History {
    int in_a_row = 0;        // failures without a long life in between
    int early_failures = 0;  // in a row, not by a signal
  };
  std::deque<absl::Time> restarts;  // the newest, but for the evaluator's
  std::deque<absl::Time> evaluator_restarts;
  std::map<std::string, History> histories;  // by process
};

struct ProcessExit {
  std::string process;
  ProcessRole role = ProcessRole::kWorker;
  ExitStatus exit;
  absl::Time started;
};

enum class RestartAction {
  kRestart,      // at `at`
  kLeft,         // it ended by itself and on purpose
  kGoOnWithout,  // it is not needed for the weights
  kStop,         // the run cannot go on
};

struct RestartDecision {
  RestartAction action = RestartAction::kStop;
  absl::Time at;
  std::string reason;
};

// REQUIRES: the run is not finished.
RestartDecision DecideRestart(const ProcessExit& exit, absl::Time now,
                              const RestartOptions& options, RestartState* state);

}  // namespace conadv

#endif  // CONADV_CLI_RUN_RESTART_POLICY_H_
