// SPDX-License-Identifier: Apache-2.0
// How a run's processes end. When the run is done they leave by themselves, the workers before the
// servers, and whoever stays is stopped. Otherwise all are stopped at once, the servers last. Pure.
// One thread.
#ifndef CONADV_CLI_RUN_SHUTDOWN_H_
#define CONADV_CLI_RUN_SHUTDOWN_H_

#include <string>
#include <vector>

#include "absl/time/time.h"
#include "cli/run/process_table.h"
#include "cli/run/run_action.h"
#include "cli/run/run_event.h"

namespace conadv {

class Shutdown {
 public:
  // What the functions below want done is appended to `actions`; both outlive this.
  Shutdown(const ProcessTable* processes, std::vector<RunAction>* actions)
      : processes_(processes), actions_(actions) {}

  // One of the two, once. `run_is_done`: the weights are written.
  void Begin(bool run_is_done, absl::Time now);
  // After the table was told.
  void OnExit(const ProcessExited& event, absl::Time now);
  // Nobody is waited for any longer: what stays is stopped, what is stopped already is killed.
  void Hurry(absl::Time now);
  void OnTick(absl::Time now);

  // Nothing runs any more.
  bool over() const { return stage_ == Stage::kOver; }
  // When OnTick has something to do.
  absl::Time deadline() const { return deadline_; }
  // What did not go as it should, a line each.
  const std::vector<std::string>& problems() const { return problems_; }

 private:
  enum class Stage {
    kNone,
    kWorkersLeave,
    kStopWorkers,  // those that did not
    kServersLeave,
    kStopOthers,
    kStopServers,
    kOver,
  };

  // As far as nobody has to be waited for.
  void Proceed(absl::Time now);
  void Enter(Stage stage, absl::Time now);
  std::vector<std::string> Awaited() const;
  bool Stops() const;  // in this stage, rather than waits
  void Terminate();
  void Kill();

  const ProcessTable* const processes_;
  std::vector<RunAction>* const actions_;
  Stage stage_ = Stage::kNone;
  absl::Time deadline_ = absl::InfiniteFuture();
  bool server_killed_ = false;  // by somebody else, after the weights were there
  std::vector<std::string> problems_;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_SHUTDOWN_H_
