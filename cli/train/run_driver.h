// SPDX-License-Identifier: Apache-2.0
// Brings a run machine what happens, and does what it wants done: owns the processes, connections,
// files, terminal and clock of a run on this machine. One thread, the process's main one.
#ifndef CONADV_CLI_TRAIN_RUN_DRIVER_H_
#define CONADV_CLI_TRAIN_RUN_DRIVER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/member_poll.h"
#include "cli/client/observer.h"
#include "cli/process/supervisor.h"
#include "cli/progress/progress_display.h"
#include "cli/results/earlier_run.h"
#include "cli/results/run_result.h"
#include "cli/run/deployment.h"
#include "cli/run/run_machine.h"
#include "cli/train/process_logs.h"
#include "cli/train/run_metrics.h"
#include "cli/train/weights_fetch.h"
#include "common/base/clock.h"
#include "common/job/job.h"
#include "common/os/file.h"

namespace conadv {

class RunDriver {
 public:
  // The run's directory is prepared. What the pointers show outlives this.
  // `earlier`, if it is aside, goes as soon as this run has made a version of its own.
  RunDriver(const Deployment& deployment, const Job& job, Supervisor* supervisor,
            ProgressDisplay* display, EarlierRun* earlier, const FileSystem* files,
            const Clock* clock = &Clock::Real());

  // Until the weights are there and every process has ended. An error names the log to look at;
  // then nothing is left running. CANCELLED: interrupted.
  absl::StatusOr<RunResult> Run();

 private:
  // The event, then whatever comes of what it makes us do.
  void Step(const RunEvent& event);
  void StepProcess(const ProcessEvent& event);
  // What comes of an action at once is appended to `outcomes`.
  using Outcomes = std::deque<RunEvent>;
  void Do(const StartProcess& action, Outcomes* outcomes);
  void Do(const TerminateProcess& action, Outcomes* outcomes);
  void Do(const KillProcess& action, Outcomes* outcomes);
  void Do(const FollowRun& action, Outcomes* outcomes);
  void Do(const JoinAgain& action, Outcomes* outcomes);
  void Do(const StopMetrics& action, Outcomes* outcomes);
  void Do(const LeaveRun& action, Outcomes* outcomes);
  void Do(const Disconnect& action, Outcomes* outcomes);
  void Do(const FetchWeights& action, Outcomes* outcomes);
  void Do(const WriteMetrics& action, Outcomes* outcomes);
  void Do(const DropEarlierRun& action, Outcomes* outcomes);
  void Do(const FindCheckpoint& action, Outcomes* outcomes);
  void Do(const ShowNote& action, Outcomes* outcomes);
  void Do(const ShowProgress& action, Outcomes* outcomes);
  void Do(const EndRun& action, Outcomes* outcomes);
  absl::Time NextDeadline() const;

  const std::string directory_;
  const uint32_t servers_;
  Supervisor* const supervisor_;
  ProgressDisplay* const display_;
  EarlierRun* const earlier_;
  const FileSystem* const files_;
  const Clock* const clock_;
  RunMachine machine_;
  std::optional<absl::StatusOr<RunResult>> result_;
  ProcessLogs logs_;

  // Last: their threads use the supervisor until they are gone.
  WeightsFetch weights_;
  ThreadTimer timer_;
  std::unique_ptr<Observer> observer_;
  RunMetrics metrics_;
  std::unique_ptr<MemberPoll> members_;
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_RUN_DRIVER_H_
