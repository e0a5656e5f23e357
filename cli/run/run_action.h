// SPDX-License-Identifier: Apache-2.0
// What a run machine wants done, in the order in which it says so. Plain values.
#ifndef CONADV_CLI_RUN_RUN_ACTION_H_
#define CONADV_CLI_RUN_RUN_ACTION_H_

#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/process/process.h"
#include "cli/results/run_result.h"

namespace conadv {

// Its end is told as ProcessExited, or ProcessNotStarted at once.
struct StartProcess {
  ProcessSpec spec;
};
// It may take its time.
struct TerminateProcess {
  std::string process;
};
struct KillProcess {
  std::string process;
};

// Becomes a member of the run, an observer, and listens to its metrics and to who takes part:
// MembershipSeen, MetricsArrived and MembersSeen come from here on.
struct FollowRun {
  std::string coordinator;  // address
};
// Becomes a member anew.
struct JoinAgain {
  std::string coordinator;
};
// No more metrics are needed.
struct StopMetrics {};
// Leaves the run: the servers may go.
struct LeaveRun {};
// Nothing of the run is listened to any more.
struct Disconnect {};

// Pulls the newest weights within `timeout`, and writes what it got: WeightsFetched.
struct FetchWeights {
  std::string coordinator;
  absl::Duration timeout;
};
// Writes to metrics.jsonl what has arrived: MetricsWritten.
struct WriteMetrics {};
// The run that this one replaces goes: EarlierRunDropped.
struct DropEarlierRun {};
// Asks for CheckpointFound.
struct FindCheckpoint {};

// A line for people.
struct ShowNote {
  std::string text;
};
// RunMachine::progress(); `last`: it is there to stay.
struct ShowProgress {
  bool last = false;
};

// The last action. Nothing runs any more. CANCELLED: the run was interrupted.
struct EndRun {
  absl::StatusOr<RunResult> result;
};

using RunAction = std::variant<StartProcess, TerminateProcess, KillProcess, FollowRun, JoinAgain,
                               StopMetrics, LeaveRun, Disconnect, FetchWeights, WriteMetrics,
                               DropEarlierRun, FindCheckpoint, ShowNote, ShowProgress, EndRun>;

}  // namespace conadv

#endif  // CONADV_CLI_RUN_RUN_ACTION_H_
