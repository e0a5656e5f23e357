// SPDX-License-Identifier: Apache-2.0
#include "cli/local_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "absl/time/clock.h"
#include "cli/json_output.h"
#include "cli/run_directory.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"

namespace conadv {
namespace {

constexpr char kListening[] = "listening on ";
constexpr absl::Duration kServerStart = absl::Seconds(60);
constexpr absl::Duration kPullTimeout = absl::Seconds(30);
// How long the last records may take after the end, and the workers' end before the run's.
constexpr absl::Duration kLastRecords = absl::Seconds(5);
constexpr absl::Duration kWithoutWorkers = absl::Seconds(10);
// How long a process may take to end by itself, and to obey.
constexpr absl::Duration kSeeOut = absl::Seconds(30);
constexpr absl::Duration kGrace = absl::Seconds(5);
// A broken session may be a server's end, which says more: that event comes first.
constexpr absl::Duration kRejoinAfter = absl::Seconds(1);
constexpr int kMostRejoins = 5;
constexpr absl::Duration kTick = absl::Seconds(1);

}  // namespace

LocalRun::LocalRun(Deployment deployment, const Job& job, Supervisor* supervisor,
                   ProgressDisplay* display, const FileSystem* files)
    : deployment_(std::move(deployment)),
      job_(job),
      supervisor_(supervisor),
      display_(display),
      files_(files) {
  progress_.phase = "starting";
  progress_.updates_per_step = job.training.updates_per_step();
  progress_.global_batch = job.training.global_batch;
  progress_.adversarial = job.training.attacks();
}

LocalRun::~LocalRun() = default;

absl::StatusOr<RunResult> LocalRun::Run() {
  metrics_.open(MetricsPath(deployment_.directory), std::ios::app);
  const absl::Status status = Train();
  if (!status.ok()) {
    StopAll();
    return status;
  }
  SeeOut();
  return result_;
}

absl::Status LocalRun::Train() {
  CONADV_RETURN_IF_ERROR(Start(ServerSpec(deployment_, 0, "")));
  started_all_ = absl::Now();
  while (!weights_.has_value()) {
    CONADV_RETURN_IF_ERROR(Handle(supervisor_->Next(NextDeadline())));
    const absl::Time now = absl::Now();
    CONADV_RETURN_IF_ERROR(Advance(now));
    display_->Show(progress_, now);
  }
  display_->ShowLast(progress_, absl::Now());
  return absl::OkStatus();
}

absl::Time LocalRun::NextDeadline() const {
  const absl::Time now = absl::Now();
  absl::Time deadline = now + kTick;
  for (const auto& [name, at] : restarts_) deadline = std::min(deadline, at);
  if (rejoin_at_.has_value()) deadline = std::min(deadline, *rejoin_at_);
  if (observer_ != nullptr) deadline = std::min(deadline, observer_->Tick(now));
  return std::min(deadline, std::max(display_->next(), now + absl::Milliseconds(10)));
}

absl::Status LocalRun::Handle(const ProcessEvent& event) {
  switch (event.kind) {
    case ProcessEvent::Kind::kLine: return OnServerLine(event);
    case ProcessEvent::Kind::kExit: return OnExit(event);
    case ProcessEvent::Kind::kInterrupted:
      return absl::CancelledError("interrupted; the run has been stopped");
    case ProcessEvent::Kind::kWoken:
    case ProcessEvent::Kind::kTimeout: return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status LocalRun::OnServerLine(const ProcessEvent& event) {
  absl::string_view rest = event.line;
  if (event.process != ServerName(0) || !coordinator_.empty()) return absl::OkStatus();
  if (!absl::ConsumePrefix(&rest, kListening)) return absl::OkStatus();
  coordinator_ = std::string(absl::StripAsciiWhitespace(rest));
  display_->Note(absl::StrCat("coordinator: ", coordinator_));
  return StartOthers();
}

absl::Status LocalRun::StartOthers() {
  for (uint32_t shard = 1; shard < deployment_.servers; ++shard) {
    CONADV_RETURN_IF_ERROR(Start(ServerSpec(deployment_, shard, coordinator_)));
  }
  for (uint32_t index = 0; index < deployment_.workers; ++index) {
    CONADV_RETURN_IF_ERROR(Start(WorkerSpec(deployment_, index, coordinator_)));
  }
  CONADV_RETURN_IF_ERROR(Start(EvaluatorSpec(deployment_, coordinator_)));
  const auto wake = [this] { supervisor_->Wake(); };
  observer_ = std::make_unique<Observer>(MakeChannel(coordinator_), wake);
  feed_ = std::make_unique<MetricsFeed>(MakeChannel(coordinator_), wake);
  progress_.phase = "waiting for the first step";
  return absl::OkStatus();
}

absl::Status LocalRun::Start(const ProcessSpec& spec) {
  specs_[spec.name] = spec;
  started_[spec.name] = absl::Now();
  return supervisor_->Start(spec);
}

absl::Status LocalRun::OnExit(const ProcessEvent& event) {
  const absl::Time now = absl::Now();
  const ProcessRole role = RoleOf(event.process);
  // There is no work left for it: nothing is lost but its good manners.
  const bool idle = finished_.has_value() || (role == ProcessRole::kWorker && trained());
  if (role != ProcessRole::kServer && idle) {
    if (event.exit.ok()) return absl::OkStatus();
    result_.problems.push_back(absl::StrCat(event.process, " ended with ", event.exit.ToString(),
                                            " after its work was done"));
    return absl::OkStatus();
  }
  const RestartDecision decision =
      DecideRestart({event.process, role, event.exit, started_[event.process]}, now,
                    RestartOptions(), &restart_state_);
  switch (decision.action) {
    case RestartAction::kStop: return Failure(event.process, decision.reason);
    case RestartAction::kLeft: display_->Note(decision.reason); return absl::OkStatus();
    case RestartAction::kRestart:
      display_->Note(Explained(event.process, decision.reason));
      restarts_[event.process] = decision.at;
      return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status LocalRun::Advance(absl::Time now) {
  if (coordinator_.empty() && now - started_all_ > kServerStart) {
    return Failure(ServerName(0), absl::StrCat("server-0 does not listen after ",
                                               absl::FormatDuration(kServerStart)));
  }
  for (auto due = restarts_.begin(); due != restarts_.end();) {
    if (due->second > now) {
      ++due;
      continue;
    }
    const std::string name = due->first;
    due = restarts_.erase(due);
    CONADV_RETURN_IF_ERROR(Start(specs_[name]));
  }
  TakeMetrics(now);
  CONADV_RETURN_IF_ERROR(CheckMembership(now));
  CONADV_RETURN_IF_ERROR(CheckWorkers(now));
  return TakeWeights(now);
}

absl::Status LocalRun::CheckMembership(absl::Time now) {
  if (observer_ == nullptr || finished_.has_value()) return absl::OkStatus();
  const Observer::State state = observer_->state();
  if (state.finished) {
    finished_ = now;
    return absl::OkStatus();
  }
  if (!state.closed) return absl::OkStatus();
  const bool broken = state.status.ok() || absl::IsUnavailable(state.status) ||
                      absl::IsDeadlineExceeded(state.status) || absl::IsCancelled(state.status);
  if (!broken || rejoins_ == kMostRejoins) {
    return Failure(ServerName(0),
                   absl::StrCat("the coordinator ended the run: ", state.status.message()));
  }
  if (!rejoin_at_.has_value()) rejoin_at_ = now + kRejoinAfter;
  if (now < *rejoin_at_) return absl::OkStatus();
  rejoin_at_.reset();
  ++rejoins_;
  observer_ =
      std::make_unique<Observer>(MakeChannel(coordinator_), [this] { supervisor_->Wake(); });
  return absl::OkStatus();
}

absl::Status LocalRun::CheckWorkers(absl::Time now) {
  const auto is_worker = [](const std::string& name) {
    return RoleOf(name) == ProcessRole::kWorker;
  };
  const std::vector<std::string> running = supervisor_->running();
  bool any = coordinator_.empty() || trained() || finished_.has_value() ||
             std::any_of(running.begin(), running.end(), is_worker);
  for (const auto& [name, at] : restarts_) any = any || is_worker(name);
  if (any) {
    workers_gone_.reset();
    return absl::OkStatus();
  }
  // They may know of the run's end before we do.
  if (!workers_gone_.has_value()) workers_gone_ = now;
  if (now - *workers_gone_ < kWithoutWorkers) return absl::OkStatus();
  return absl::AbortedError("every worker has left before the last step");
}

bool LocalRun::trained() const {
  return progress_.final_version > 0 && progress_.version >= progress_.final_version;
}

void LocalRun::TakeMetrics(absl::Time now) {
  if (feed_ == nullptr) return;
  const std::vector<v1::MetricsRecord> records = feed_->Take();
  progress_.final_version = feed_->final_version();
  if (records.empty()) return;
  for (const v1::MetricsRecord& record : records) {
    Apply(record, now, &progress_);
    metrics_ << JsonLine(ToJson(record)) << "\n";
  }
  if (!metrics_.flush()) {
    display_->Note(absl::StrCat("cannot write ", MetricsPath(deployment_.directory)));
    metrics_.clear();
  }
}

absl::Status LocalRun::TakeWeights(absl::Time now) {
  if (!finished_.has_value()) return absl::OkStatus();
  if (!pull_.valid() && !weights_.has_value()) {
    // In a thread of its own: our session goes on needing heartbeats.
    pull_ = std::async(std::launch::async, [this]() -> absl::StatusOr<Weights> {
      v1::PullRequest latest;
      latest.set_latest(true);
      absl::StatusOr<Weights> weights = PullWeights(coordinator_, latest, kPullTimeout);
      if (weights.ok()) {
        const absl::Status written =
            WriteWeights(*weights, WeightsPath(deployment_.directory), *files_);
        if (!written.ok()) weights = written;
      }
      supervisor_->Wake();
      return weights;
    });
    return absl::OkStatus();
  }
  if (pull_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return absl::OkStatus();
  const bool heard_all = trained() && progress_.evaluated_version == progress_.final_version;
  if (!heard_all && now - *finished_ < kLastRecords) return absl::OkStatus();
  absl::StatusOr<Weights> weights = pull_.get();
  if (!weights.ok()) {
    return absl::Status(weights.status().code(), absl::StrCat("the final weights cannot be read: ",
                                                              weights.status().message()));
  }
  weights_ = *std::move(weights);
  result_.version = weights_->version.value();
  result_.steps = result_.version / progress_.updates_per_step;
  result_.seconds = absl::ToDoubleSeconds(progress_.training_time);
  result_.examples_per_second = progress_.examples_per_second();
  if (progress_.evaluated_version == result_.version) {
    result_.clean_accuracy = progress_.clean_accuracy;
    result_.robust_accuracy = progress_.robust_accuracy;
  }
  result_.weights_crc32c = weights_->crc32c();
  return absl::OkStatus();
}

void LocalRun::SeeOut() {
  feed_.reset();
  // Our membership keeps the coordinator there for a worker that has only just started: it is told
  // that the run is over, and leaves like the others.
  AwaitExits(/*servers_too=*/false);
  observer_->Leave();
  AwaitExits(/*servers_too=*/true);
  for (const std::string& name : supervisor_->running()) {
    result_.problems.push_back(absl::StrCat(name, " did not end by itself after the run"));
  }
  StopAll();
}

void LocalRun::AwaitExits(bool servers_too) {
  const absl::Time until = absl::Now() + kSeeOut;
  const auto awaited = [servers_too](const std::string& name) {
    return servers_too || RoleOf(name) != ProcessRole::kServer;
  };
  for (absl::Time now = absl::Now(); now < until; now = absl::Now()) {
    const std::vector<std::string> running = supervisor_->running();
    if (std::none_of(running.begin(), running.end(), awaited)) return;
    const absl::Time beat = servers_too ? until : observer_->Tick(now);
    const ProcessEvent event = supervisor_->Next(std::min(until, beat));
    if (event.kind == ProcessEvent::Kind::kInterrupted) return;
    if (event.kind == ProcessEvent::Kind::kExit && !event.exit.ok()) {
      result_.problems.push_back(
          absl::StrCat(event.process, " ended with ", event.exit.ToString(), " after the run"));
    }
  }
}

void LocalRun::StopAll() {
  std::vector<std::string> servers;
  std::vector<std::string> others;
  for (const std::string& name : supervisor_->running()) {
    (RoleOf(name) == ProcessRole::kServer ? servers : others).push_back(name);
  }
  supervisor_->Stop(others, kGrace);
  // Without us and the workers nothing holds the servers.
  feed_.reset();
  observer_.reset();
  supervisor_->Stop(servers, kGrace);
}

std::string LocalRun::Explained(const std::string& process, const std::string& reason) const {
  const auto spec = specs_.find(process);
  if (spec == specs_.end()) return reason;
  const absl::StatusOr<std::string> log = files_->Read(spec->second.log_path);
  const std::string message = log.ok() ? LastMessage(*log) : "";
  return absl::StrCat(reason, message.empty() ? "" : ": ", message);
}

absl::Status LocalRun::Failure(const std::string& process, const std::string& reason) const {
  const auto spec = specs_.find(process);
  if (spec == specs_.end()) return absl::AbortedError(reason);
  return absl::AbortedError(
      absl::StrCat(Explained(process, reason), " (log: ", spec->second.log_path, ")"));
}

}  // namespace conadv
