// SPDX-License-Identifier: Apache-2.0
// A run's processes: they start, speak and end.
#include "cli/run/run_machine.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/results/run_paths.h"
#include "common/job/streams.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

constexpr char kListening[] = "listening on ";
constexpr char kWatchAt[] = "watch it at ";
constexpr absl::Duration kServerStart = absl::Seconds(60);
// A member may be silent for a lease, and join again for as long.
constexpr absl::Duration kLeastAway = absl::Seconds(10);
constexpr size_t kRestartsOfEach = 4;

LivenessOptions LivenessOptionsOf(const Job& job) {
  LivenessOptions options;
  options.most_away = std::max(3 * job.server.lease, kLeastAway);
  options.most_starting = std::max(options.most_away, options.most_starting);
  return options;
}

RestartOptions RestartOptionsOf(const Deployment& deployment) {
  RestartOptions options;
  const size_t processes = size_t{deployment.servers} + deployment.workers + 1;
  options.max_restarts = std::max(options.max_restarts, kRestartsOfEach * processes);
  return options;
}

std::string NotListening() {
  return absl::StrCat("server-0 does not listen after ", absl::FormatDuration(kServerStart));
}

std::string Explained(const std::string& reason, const std::string& last_words) {
  return absl::StrCat(reason, last_words.empty() ? "" : ": ", last_words);
}

}  // namespace

RunMachine::RunMachine(const Deployment& deployment, const Job& job, bool replaces, uint64_t seed)
    : deployment_(deployment),
      restart_options_(RestartOptionsOf(deployment)),
      liveness_(LivenessOptionsOf(job)),
      metrics_(MetricsPath(deployment.directory)),
      replaces_(replaces),
      weights_(seed),
      shutdown_(&processes_, &actions_) {
  progress_.phase = "starting";
  progress_.updates_per_step = job.training.updates_per_step();
  progress_.global_batch = job.training.global_batch;
  const GradientStreams streams = StreamsOf(job.training);
  progress_.clean = IndexOf(streams, StreamKind::kClean).has_value();
  progress_.augmented = IndexOf(streams, StreamKind::kAugmented).has_value();
  progress_.adversarial = job.training.attacks();
}

std::vector<RunAction> RunMachine::Step(const RunEvent& event, absl::Time now) {
  now_ = now;
  std::visit([this](const auto& what) { On(what); }, event);
  return std::exchange(actions_, {});
}

void RunMachine::On(const Begun&) {
  Enter(RunPhase::kStarting);
  Start(ServerSpec(deployment_, 0, ""));
}

void RunMachine::Start(const ProcessSpec& spec) {
  processes_.OnStart(spec, now_);
  liveness_.OnStart(spec.name, now_);
  Do(StartProcess{spec});
}

void RunMachine::On(const ProcessNotStarted& event) {
  processes_.OnExit(event.process, "");
  liveness_.OnExit(event.process);
  if (phase_ != RunPhase::kShutdown) return Fail(event.why);
  shutdown_.OnTick(now_);
  EndIfNobodyRuns();
}

void RunMachine::On(const ProcessWroteLine& event) {
  ProcessTable::Process& process = processes_.at(event.process);
  if (RoleOf(event.process) != ProcessRole::kServer) {
    process.said_run_is_over |= event.line == kRunIsOver;
    return;
  }
  absl::string_view rest = event.line;
  if (absl::ConsumePrefix(&rest, kWatchAt)) return OnWatchable(rest, &process.spec);
  if (!absl::ConsumePrefix(&rest, kListening)) return;
  const std::string address(absl::StripAsciiWhitespace(rest));
  // When it is started again, the others find it where it was.
  ListenOn(address, &process.spec);
  if (event.process != ServerName(0) || phase_ != RunPhase::kStarting) return;
  coordinator_ = address;
  membership_.Begin(now_);
  Note(absl::StrCat("coordinator: ", coordinator_));
  StartOthers();
}

void RunMachine::OnWatchable(absl::string_view url, ProcessSpec* server) {
  url = absl::StripAsciiWhitespace(url);
  if (url == watched_at_) return;
  watched_at_ = std::string(url);
  Note(absl::StrCat(kWatchAt, url));
  // When it is started again, whoever looks finds it where it was.
  absl::string_view address = url;
  if (absl::ConsumePrefix(&address, "http://")) absl::ConsumeSuffix(&address, "/");
  WatchOn(std::string(address), server);
}

void RunMachine::StartOthers() {
  for (uint32_t shard = 1; shard < deployment_.servers; ++shard) {
    Start(ServerSpec(deployment_, shard, coordinator_));
  }
  for (uint32_t index = 0; index < deployment_.workers; ++index) {
    Start(WorkerSpec(deployment_, index, coordinator_));
  }
  Start(EvaluatorSpec(deployment_, coordinator_));
  Do(FollowRun{coordinator_});
  Enter(RunPhase::kTraining);
  progress_.phase = "waiting for the first step";
}

void RunMachine::On(const ProcessExited& event) {
  processes_.OnExit(event.process, event.last_words);
  liveness_.OnExit(event.process);
  switch (phase_) {
    case RunPhase::kShutdown: shutdown_.OnExit(event, now_); return EndIfNobodyRuns();
    case RunPhase::kNotListening: return FailBecauseOf(event.process, NotListening());
    case RunPhase::kSaving:
      if (event.process == ServerName(0)) Enter(RunPhase::kLastRecords);
      return;
    case RunPhase::kLastRecords:
    case RunPhase::kAskCheckpoint:
    case RunPhase::kOver: return;
    case RunPhase::kStarting:
    case RunPhase::kTraining:
    case RunPhase::kFinished: break;
  }
  // There is no work left for it: nothing is lost but its good manners.
  // It may know of the end before we do, and says so.
  ProcessTable::Process& process = processes_.at(event.process);
  const ProcessRole role = RoleOf(event.process);
  const bool over =
      phase_ == RunPhase::kFinished || process.said_run_is_over || membership_.heard_run_is_over();
  const bool idle = over || (role == ProcessRole::kWorker && progress_.trained());
  if (role == ProcessRole::kServer || !idle) return OnLoss(event);
  process.left = true;
  // What is killed from outside has done nothing wrong.
  if (event.exit.ok() || event.exit.by_signal()) return;
  result_.problems.push_back(absl::StrCat(event.process, " ended with ", event.exit.ToString(),
                                          " after its work was done"));
}

void RunMachine::OnLoss(const ProcessExited& event) {
  ProcessTable::Process& process = processes_.at(event.process);
  const ProcessRole role = RoleOf(event.process);
  const RestartDecision decision = DecideRestart({event.process, role, event.exit, process.started},
                                                 now_, restart_options_, &restarts_);
  // Whom a signal ended, said nothing about it.
  const std::string said = event.exit.by_signal() ? "" : event.last_words;
  process.lost =
      Explained(absl::StrCat(event.process, " ended with ", event.exit.ToString()), said);
  if (role == ProcessRole::kServer) progress_.phase = absl::StrCat("waiting for ", event.process);
  switch (decision.action) {
    case RestartAction::kStop:
      // What will never do for one of its processes will not do for the run.
      hopeless_ = event.exit.signal == 0 && event.exit.code == kExitNever;
      return FailBecauseOf(event.process, decision.reason);
    case RestartAction::kLeft: return Note(decision.reason);
    case RestartAction::kGoOnWithout: return Note(Explained(decision.reason, said));
    case RestartAction::kRestart:
      Note(Explained(decision.reason, said));
      ++result_.restarts;
      if (role == ProcessRole::kServer && !progress_.trained()) {
        progress_.waiting_for = event.process;
      }
      process.restart_at = decision.at;
      return;
  }
}

void RunMachine::CheckListening() {
  if (now_ - since_ <= kServerStart) return;
  if (!processes_.Runs(ServerName(0))) return FailBecauseOf(ServerName(0), NotListening());
  Enter(RunPhase::kNotListening);
  Do(KillProcess{ServerName(0)});
}

void RunMachine::FailBecauseOf(const std::string& name, const std::string& reason) {
  const ProcessTable::Process& process = processes_.at(name);
  // When the earlier run is put back, this one's log goes.
  const std::string log = replaces_ ? "" : absl::StrCat(" (log: ", process.spec.log_path, ")");
  absl::Status why = absl::AbortedError(absl::StrCat(Explained(reason, process.last_words), log));
  Fail(hopeless_ ? WithExitCode(std::move(why), kExitNever) : why);
}

}  // namespace conadv
