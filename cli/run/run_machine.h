// SPDX-License-Identifier: Apache-2.0
// A run on this machine, from the first server to the final weights: what is to be done about each
// thing that happens. It starts the processes, follows the run, restarts what dies, and sees
// everybody out. Pure: no process, clock, file, connection or terminal; who drives it has them. One
// thread.
#ifndef CONADV_CLI_RUN_RUN_MACHINE_H_
#define CONADV_CLI_RUN_RUN_MACHINE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/progress/progress.h"
#include "cli/results/run_result.h"
#include "cli/run/deployment.h"
#include "cli/run/final_weights.h"
#include "cli/run/liveness.h"
#include "cli/run/metrics_writing.h"
#include "cli/run/own_membership.h"
#include "cli/run/process_table.h"
#include "cli/run/restart_policy.h"
#include "cli/run/run_action.h"
#include "cli/run/run_event.h"
#include "cli/run/shutdown.h"
#include "common/job/job.h"

namespace conadv {

enum class RunPhase {
  kStarting,      // server 0 does not listen yet
  kNotListening,  // it was killed since it took too long; its end says more
  kTraining,
  kFinished,       // the coordinator says so; the weights are fetched
  kSaving,         // interrupted: server 0 saves a checkpoint and ends
  kLastRecords,    // interrupted: what the last updates said is on its way
  kAskCheckpoint,  // the run has failed: from where can it go on?
  kShutdown,       // the processes end
  kOver,
};

class RunMachine {
 public:
  // The run's directory is prepared. `replaces`: an earlier run is set aside there, and goes as
  // soon as this run has made a version of its own. `seed` is that of waits' jitter.
  RunMachine(const Deployment& deployment, const Job& job, bool replaces, uint64_t seed);
  RunMachine(const RunMachine&) = delete;
  RunMachine& operator=(const RunMachine&) = delete;

  // What happened at `now`, which never goes back; the answer is what to do, in this order. What
  // comes of an action comes as an event after the others are done.
  std::vector<RunAction> Step(const RunEvent& event, absl::Time now);
  // A Tick is needed then, at the latest.
  absl::Time NextTick(absl::Time now) const;

  RunPhase phase() const { return phase_; }
  const ProgressState& progress() const { return progress_; }

 private:
  void On(const Begun& event);
  void On(const ProcessWroteLine& event);
  void On(const ProcessExited& event);
  void On(const ProcessNotStarted& event);
  void On(const Interrupted& event);
  void On(const MetricsArrived& event);
  void On(const MetricsWritten& event);
  void On(const MembershipSeen& event);
  void On(const MembersSeen& event);
  void On(const WeightsFetched& event);
  void On(const EarlierRunDropped& event);
  void On(const CheckpointFound& event);
  void On(const Tick& event);

  template <class Action>
  void Do(Action action) {
    actions_.push_back(std::move(action));
  }
  void Note(std::string text) { Do(ShowNote{std::move(text)}); }
  void Enter(RunPhase phase) {
    phase_ = phase;
    since_ = now_;
  }
  bool Trains() const { return phase_ == RunPhase::kTraining || phase_ == RunPhase::kFinished; }

  // run_machine.cc: processes.
  void Start(const ProcessSpec& spec);
  void StartOthers();
  // Shard 0 says where its live page is.
  void OnWatchable(absl::string_view url, ProcessSpec* server);
  // It ended though there was work for it.
  void OnLoss(const ProcessExited& event);
  void CheckListening();

  // run_machine_members.cc: what is heard of the run.
  void CheckLiveness();
  void CheckMembership();
  void JoinRunAgain();
  void CheckWorkers();
  void GoBack(const LineageBegins& lineage);
  void NoteWarnings();  // of the last evaluation

  // run_machine_end.cc: the ways in which a run ends.
  void AdvanceWeights();
  void Act(const FinalWeights::Decision& decision);
  void Finish();
  void TakeLastRecords();
  void Fail(absl::Status status);
  // Because of the process `name`, which may have said more of it.
  void FailBecauseOf(const std::string& name, const std::string& reason);
  // A person reads from where the run can go on between the status's message and `rest`.
  void FailSaved(absl::Status status, std::string rest);
  void EndIfNobodyRuns();

  const Deployment deployment_;
  const RestartOptions restart_options_;
  absl::Time now_;                  // of the step under way
  std::vector<RunAction> actions_;  // its answer
  RunPhase phase_ = RunPhase::kStarting;
  absl::Time since_;         // when the phase began
  std::string coordinator_;  // address; empty until shard 0 listens
  std::string watched_at_;   // URL of the live page, as it was last

  ProcessTable processes_;
  RestartState restarts_;
  Liveness liveness_;

  ProgressState progress_;
  MetricsWriting metrics_;
  bool may_hear_more_ = false;  // records
  bool replaces_;               // the earlier run is still there

  OwnMembership membership_;
  bool warned_ = false;
  std::optional<absl::Time> workers_gone_;  // since when, before the last step

  FinalWeights weights_;
  RunResult result_;
  bool hopeless_ = false;     // it ends because of something that only a person can change
  absl::Status failure_;      // not OK: what the run ends with
  std::string failure_rest_;  // of its message
  int interrupted_by_ = 0;    // the first signal that did
  Shutdown shutdown_;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_RUN_MACHINE_H_
