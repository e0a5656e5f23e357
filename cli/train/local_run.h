// SPDX-License-Identifier: Apache-2.0
// A whole cluster on this machine, from the first server to the final weights: starts the
// processes, follows the run, restarts what dies, and sees everybody out. One thread, the process's
// main one.
#ifndef CONADV_CLI_TRAIN_LOCAL_RUN_H_
#define CONADV_CLI_TRAIN_LOCAL_RUN_H_

#include <future>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/member_poll.h"
#include "cli/client/metrics_feed.h"
#include "cli/client/observer.h"
#include "cli/client/weights.h"
#include "cli/process/supervisor.h"
#include "cli/progress/progress.h"
#include "cli/progress/progress_display.h"
#include "cli/results/earlier_run.h"
#include "cli/results/metrics_file.h"
#include "cli/results/run_result.h"
#include "cli/run/deployment.h"
#include "cli/run/liveness.h"
#include "cli/run/restart_policy.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/job/job.h"

namespace conadv {

// How long a full disk is waited for at the end, and how often it is asked.
inline const BackoffOptions kWriteAgain = {absl::Seconds(1), absl::Seconds(10), absl::Minutes(10)};

class LocalRun {
 public:
  // The run's directory is prepared. What the pointers show outlives this.
  // `earlier`, if it is aside, goes as soon as this run has made a version of its own.
  LocalRun(Deployment deployment, const Job& job, Supervisor* supervisor, ProgressDisplay* display,
           EarlierRun* earlier, const FileSystem* files, const Clock* clock = &Clock::Real());
  ~LocalRun();

  // Until the weights are there and every process has ended. An error names the log to look at;
  // then nothing is left running. CANCELLED: interrupted.
  absl::StatusOr<RunResult> Run();

 private:
  absl::Status Train();
  absl::Status Handle(const ProcessEvent& event);
  absl::Status OnLine(const ProcessEvent& event);
  absl::Status OnServerLine(const ProcessEvent& event);
  absl::Status OnExit(const ProcessEvent& event);
  // It ended though there was work for it.
  absl::Status OnLoss(const ProcessEvent& event);
  absl::Status OnInterrupt();
  // We were interrupted, and what could be saved is: why the run ends.
  absl::Status Stopped();
  // Everything that is due at `now`.
  absl::Status Advance(absl::Time now);
  absl::Status Start(const ProcessSpec& spec);
  absl::Status StartOthers();
  absl::Status CheckMembership(absl::Time now);
  absl::Status JoinAgain(absl::Time now);
  absl::Status CheckWorkers(absl::Time now);
  // Kills what runs but takes no part any more; its exit is seen to as any other.
  void CheckLiveness(absl::Time now);
  void GoBack(uint64_t version);
  void TakeMetrics(absl::Time now);
  void FlushMetrics(absl::Time now);
  // What metrics.jsonl does not have, and why; empty if it is complete.
  std::string MissingMetrics() const;
  // The weights, once they are there; their error if they cannot be had.
  absl::Status TakeWeights(absl::Time now);
  struct FinalWeights {
    absl::StatusOr<Weights> weights;
    absl::Status written;
  };
  FinalWeights PullAndWrite(absl::Duration timeout) const;
  // Whether what is to be left cannot be written now, and another try is worth while.
  bool WaitsForTheDisk(const absl::Status& weights_written, absl::Time now);
  // "; " and how, if there is a checkpoint.
  std::string HowToGoOn() const;
  void SeeOut();
  void AwaitExits(bool servers_too);
  void StopAllBut(ProcessRole role);
  void StopAll();
  absl::Time NextDeadline() const;
  // With what the process said of its end.
  std::string Explained(const std::string& process, const std::string& reason) const;
  absl::Status Failure(const std::string& process, const std::string& reason) const;
  bool trained() const;

  const Deployment deployment_;
  const Job job_;
  Supervisor* const supervisor_;
  ProgressDisplay* const display_;
  EarlierRun* const earlier_;
  const FileSystem* const files_;
  const Clock* const clock_;

  std::string coordinator_;                   // address; empty until shard 0 listens
  std::map<std::string, ProcessSpec> specs_;  // of everything that was ever started
  std::map<std::string, absl::Time> started_;
  std::map<std::string, size_t> log_begins_;    // where the log of a process's present life begins
  std::set<std::string> told_over_;             // who said before it ended that the run is over
  std::string evaluator_lost_;                  // why the evaluator ended last
  std::map<std::string, absl::Time> restarts_;  // who is to be started again, and when
  RestartState restart_state_;

  ProgressState progress_;
  MetricsFile metrics_;
  absl::Status metrics_status_;  // of the last attempt to write them
  absl::Time metrics_again_ = absl::InfinitePast();
  absl::Time started_all_;
  std::optional<absl::Time> rejoin_at_;
  std::optional<absl::Time> stopping_;  // since when, for a checkpoint
  absl::Time joined_at_;                // when we were last a member
  std::set<std::string> left_;          // because the run was over
  Liveness liveness_;
  bool warned_ = false;
  bool server_killed_ = false;              // after the weights were there
  std::optional<absl::Time> workers_gone_;  // since when, before the last step
  std::optional<absl::Time> finished_;      // when the coordinator said so
  Backoff write_backoff_;                   // of what is left at the end
  absl::Time write_again_ = absl::InfinitePast();
  bool waits_for_disk_ = false;
  std::future<FinalWeights> pull_;
  bool pull_in_vain_ = false;  // it began before the run went back
  absl::Duration pull_timeout_ = absl::Seconds(30);
  std::optional<Weights> weights_;
  RunResult result_;

  // Last: their callbacks use the supervisor until they are gone.
  std::unique_ptr<Observer> observer_;
  std::unique_ptr<MetricsFeed> feed_;
  std::unique_ptr<MemberPoll> poll_;
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_LOCAL_RUN_H_
