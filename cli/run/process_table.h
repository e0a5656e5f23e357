// SPDX-License-Identifier: Apache-2.0
// The processes of a local run: who runs, with what it was started, and who is to be started again
// when. Pure. One thread.
#ifndef CONADV_CLI_RUN_PROCESS_TABLE_H_
#define CONADV_CLI_RUN_PROCESS_TABLE_H_

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/process/process.h"
#include "cli/run/restart_policy.h"

namespace conadv {

class ProcessTable {
 public:
  struct Process {
    ProcessSpec spec;  // with which it was started last, or will be again
    bool runs = false;
    absl::Time started;
    std::optional<absl::Time> restart_at;
    bool said_run_is_over = false;  // in its present life
    bool left = false;              // it ended because the run was over
    std::string lost;               // how it ended last though there was work for it
    std::string last_words;         // of its last life, once that is over
  };

  // Everything that was ever started. REQUIRES: `process` is one.
  Process& at(const std::string& process) { return processes_.at(process); }
  const Process& at(const std::string& process) const { return processes_.at(process); }
  bool Knows(const std::string& process) const { return processes_.count(process) > 0; }

  void OnStart(const ProcessSpec& spec, absl::Time now);
  void OnExit(const std::string& process, const std::string& last_words);
  bool Runs(const std::string& process) const;
  // Names, sorted.
  std::vector<std::string> running() const;
  std::vector<std::string> running_servers() const;
  std::vector<std::string> running_others() const;
  // One of this role runs, or is to be started again.
  bool AnyNowOrLater(ProcessRole role) const;

  // Whoever is due is not to be started again any more.
  std::vector<ProcessSpec> TakeDueRestarts(absl::Time now);
  // Those who left are started again, too.
  void RestartThoseWhoLeft(absl::Time now);
  // InfiniteFuture: none.
  absl::Time next_restart() const;

 private:
  std::map<std::string, Process> processes_;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_PROCESS_TABLE_H_
