// SPDX-License-Identifier: Apache-2.0
// Named child processes and what happens to them, as one stream of events. Knows no policy: who is
// restarted, and when to stop, is its caller's business. One thread, the one that made it (see
// spawn.h); only Wake() may be called by any.
#ifndef CONADV_CLI_PROCESS_SUPERVISOR_H_
#define CONADV_CLI_PROCESS_SUPERVISOR_H_

#include <signal.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "cli/process/lines.h"
#include "cli/process/process.h"
#include "cli/process/spawn.h"
#include "common/os/file_descriptor.h"

namespace conadv {

struct ProcessEvent {
  enum class Kind {
    kLine,         // a process wrote a line to its standard output
    kExit,         // a process ended; its lines came before
    kWoken,        // somebody called Wake()
    kInterrupted,  // SIGINT, SIGTERM or SIGHUP came
    kTimeout,
  };
  Kind kind = Kind::kTimeout;
  std::string process;
  std::string line;
  ExitStatus exit;
  int signal = 0;  // that interrupted us
};

class Supervisor {
 public:
  // Takes SIGINT, SIGTERM and SIGHUP, those that are not ignored, as events from here on, whichever
  // thread the system gives them to. One at a time in a process; the thread that makes it uses it.
  static absl::StatusOr<std::unique_ptr<Supervisor>> Create();
  // Kills what still runs.
  ~Supervisor();
  Supervisor(const Supervisor&) = delete;
  Supervisor& operator=(const Supervisor&) = delete;

  absl::Status Start(const ProcessSpec& spec);
  // The next event; waits for it, but not past `until`, which is Clock::Real()'s.
  ProcessEvent Next(absl::Time until);
  void Wake();

  // SIGKILL, if it runs: its end comes as an event.
  void Kill(const std::string& process) { Signal(process, SIGKILL); }
  // SIGTERM, if it runs.
  void Terminate(const std::string& process) { Signal(process, SIGTERM); }
  bool Runs(absl::string_view process) const;
  std::vector<std::string> running() const;  // names, sorted
  // SIGTERM to each, then SIGKILL to those that still run after `grace`, or at once when we are
  // interrupted again. Drops the events that come meanwhile.
  void Stop(absl::Span<const std::string> processes, absl::Duration grace);

 private:
  struct Running {
    Child child;
    LineSplitter lines;
    bool output_closed = false;
  };

  Supervisor() = default;
  void Signal(const std::string& process, int number);
  // Waits for something to happen, and makes events of it.
  void Poll(absl::Time until);
  void ReadLines(const std::string& name, Running* running);
  bool AnyRuns(absl::Span<const std::string> processes) const;

  std::map<std::string, Running> running_;
  std::deque<ProcessEvent> events_;
  FileDescriptor signals_;
  FileDescriptor wake_;
  sigset_t former_mask_;
  std::map<int, struct sigaction> former_actions_;
};

}  // namespace conadv

#endif  // CONADV_CLI_PROCESS_SUPERVISOR_H_
