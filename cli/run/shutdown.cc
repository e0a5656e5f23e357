// SPDX-License-Identifier: Apache-2.0
#include "cli/run/shutdown.h"

#include "absl/strings/str_cat.h"
#include "cli/run/deployment.h"

namespace conadv {
namespace {

// How long a process may take to end by itself, and to obey.
constexpr absl::Duration kWorkersMayTake = absl::Seconds(10);
constexpr absl::Duration kServersMayTake = absl::Seconds(30);
constexpr absl::Duration kGrace = absl::Seconds(5);

}  // namespace

void Shutdown::Begin(bool run_is_done, absl::Time now) {
  if (run_is_done) {
    actions_->push_back(StopMetrics{});
    // Our membership keeps the coordinator there for a worker that has only just started: it is
    // told that the run is over, and leaves like the others.
    Enter(Stage::kWorkersLeave, now);
  } else {
    Enter(Stage::kStopOthers, now);
  }
  Proceed(now);
}

void Shutdown::Enter(Stage stage, absl::Time now) {
  stage_ = stage;
  switch (stage) {
    case Stage::kWorkersLeave: deadline_ = now + kWorkersMayTake; return;
    case Stage::kStopWorkers:
      // Whoever is left hangs or was stopped; it has nothing that anyone needs.
      for (const std::string& name : Awaited()) {
        actions_->push_back(ShowNote{absl::StrCat(name, " does not end by itself; ending it")});
      }
      break;
    case Stage::kServersLeave:
      actions_->push_back(LeaveRun{});
      deadline_ = now + kServersMayTake;
      return;
    case Stage::kStopOthers: break;
    case Stage::kStopServers:
      // Without us and the workers nothing holds the servers.
      actions_->push_back(Disconnect{});
      break;
    case Stage::kNone:
    case Stage::kOver: deadline_ = absl::InfiniteFuture(); return;
  }
  Terminate();
  deadline_ = now + kGrace;
}

std::vector<std::string> Shutdown::Awaited() const {
  switch (stage_) {
    case Stage::kWorkersLeave:
    case Stage::kStopWorkers:
    case Stage::kStopOthers: return processes_->running_others();
    case Stage::kServersLeave:
    case Stage::kStopServers: return processes_->running();
    case Stage::kNone:
    case Stage::kOver: break;
  }
  return {};
}

bool Shutdown::Stops() const {
  return stage_ == Stage::kStopWorkers || stage_ == Stage::kStopOthers ||
         stage_ == Stage::kStopServers;
}

void Shutdown::Proceed(absl::Time now) {
  while (stage_ != Stage::kNone && stage_ != Stage::kOver && Awaited().empty()) {
    Enter(static_cast<Stage>(static_cast<int>(stage_) + 1), now);
  }
}

void Shutdown::OnExit(const ProcessExited& event, absl::Time now) {
  if (!Stops() && stage_ != Stage::kOver) {
    const bool by_signal = event.exit.by_signal();
    server_killed_ |= RoleOf(event.process) == ProcessRole::kServer && by_signal;
    if (server_killed_) return Hurry(now);
    // The weights are written and the last checkpoint is: whoever is killed now loses nothing.
    if (!event.exit.ok() && !by_signal) {
      problems_.push_back(
          absl::StrCat(event.process, " ended with ", event.exit.ToString(), " after the run"));
    }
  }
  Proceed(now);
}

void Shutdown::Hurry(absl::Time now) {
  if (Stops()) return Kill();
  if (stage_ == Stage::kNone || stage_ == Stage::kOver) return;
  if (stage_ == Stage::kServersLeave && !server_killed_) {
    // Servers end together: one that was killed now leaves the others waiting.
    for (const std::string& name : Awaited()) {
      problems_.push_back(absl::StrCat(name, " did not end by itself after the run"));
    }
  }
  Enter(static_cast<Stage>(static_cast<int>(stage_) + 1), now);
  Proceed(now);
}

void Shutdown::OnTick(absl::Time now) {
  if (now >= deadline_) Hurry(now);
  Proceed(now);
}

void Shutdown::Terminate() {
  for (const std::string& name : Awaited()) actions_->push_back(TerminateProcess{name});
}

void Shutdown::Kill() {
  for (const std::string& name : Awaited()) actions_->push_back(KillProcess{name});
  deadline_ = absl::InfiniteFuture();
}

}  // namespace conadv
