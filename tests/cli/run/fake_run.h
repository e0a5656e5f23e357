// SPDX-License-Identifier: Apache-2.0
// A run machine with a made-up world around it: processes that start at once and end when they are
// told to, a disk, a coordinator and a clock that the test moves. Notes every action, and that none
// is about a process that is not there. One thread.
#ifndef CONADV_TESTS_CLI_RUN_FAKE_RUN_H_
#define CONADV_TESTS_CLI_RUN_FAKE_RUN_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/run/run_machine.h"

namespace conadv {

class FakeRun {
 public:
  explicit FakeRun(uint32_t servers = 1, uint32_t workers = 2, bool replaces = false);

  // The event, and whatever the world answers to what it brings about; then a tick.
  void Step(const RunEvent& event);
  // Ticks until `time` has passed, with heartbeats of the coordinator's while it runs.
  void Pass(absl::Duration time);

  // server-0 listens, everybody is started, and the coordinator has taken us in.
  void Begin();
  // Begin(), and updates up to `version` of 10.
  void Train(uint64_t version);
  // Train(10), the last evaluation, and the coordinator says that the run is over.
  void FinishTraining();
  void Exit(const std::string& process, ExitStatus exit, const std::string& last_words = "");
  void Records(uint64_t from, uint64_t to);
  // The fetch that was asked for, with the weights of `version`.
  void Fetched(uint64_t version, const absl::Status& written = absl::OkStatus());

  bool over() const { return result.has_value(); }
  bool Said(const std::string& part) const;    // a note with this in it
  int Count(const std::string& action) const;  // in `actions`
  RunMachine& machine() { return machine_; }

  absl::Time now = absl::UnixEpoch();
  MembershipSeen membership;
  absl::Status metrics_disk;           // what writing metrics.jsonl gives
  std::optional<uint64_t> checkpoint;  // the newest one
  std::set<std::string> deaf;          // processes that do not end when they are told to
  std::set<std::string> broken;        // processes that cannot be started
  bool answers = true;                 // the coordinator's to who takes part
  std::set<std::string> silent;        // who run, but take no part

  std::set<std::string> running;
  std::map<std::string, ProcessSpec> specs;  // with which each was started last
  std::vector<std::string> actions;          // "start server-0", "fetch 30s", "follow", ...
  std::vector<std::string> notes;
  std::optional<absl::StatusOr<RunResult>> result;

 private:
  void Feed(const RunEvent& event);
  void Do(const RunAction& action);

  RunMachine machine_;
  std::deque<RunEvent> outcomes_;
  std::set<std::string> not_started_;  // the machine does not know it yet
};

}  // namespace conadv

#endif  // CONADV_TESTS_CLI_RUN_FAKE_RUN_H_
