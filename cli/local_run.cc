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
// How long the last records may take after the end.
constexpr absl::Duration kLastRecords = absl::Seconds(5);
// How long a process may take to end by itself, and to obey.
constexpr absl::Duration kSeeOut = absl::Seconds(30);
constexpr absl::Duration kSeeOutIdle = absl::Seconds(10);
constexpr absl::Duration kGrace = absl::Seconds(5);
constexpr absl::Duration kTick = absl::Seconds(1);
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

}  // namespace

LocalRun::LocalRun(Deployment deployment, const Job& job, Supervisor* supervisor,
                   ProgressDisplay* display, const FileSystem* files)
    : deployment_(std::move(deployment)),
      job_(job),
      supervisor_(supervisor),
      display_(display),
      files_(files),
      metrics_(MetricsPath(deployment_.directory), files),
      liveness_(LivenessOptionsOf(job)) {
  progress_.phase = "starting";
  progress_.updates_per_step = job.training.updates_per_step();
  progress_.global_batch = job.training.global_batch;
  progress_.adversarial = job.training.attacks();
}

LocalRun::~LocalRun() = default;

absl::StatusOr<RunResult> LocalRun::Run() {
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
  if (!absl::ConsumePrefix(&rest, kListening)) return absl::OkStatus();
  const std::string address(absl::StripAsciiWhitespace(rest));
  // When it is started again, the others find it where it was.
  ListenOn(address, &specs_[event.process]);
  if (event.process != ServerName(0) || !coordinator_.empty()) return absl::OkStatus();
  coordinator_ = address;
  joined_at_ = absl::Now();
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
  poll_ = std::make_unique<MemberPoll>(MakeChannel(coordinator_));
  progress_.phase = "waiting for the first step";
  return absl::OkStatus();
}

absl::Status LocalRun::Start(const ProcessSpec& spec) {
  specs_[spec.name] = spec;
  started_[spec.name] = absl::Now();
  liveness_.OnStart(spec.name, absl::Now());
  return supervisor_->Start(spec);
}

absl::Status LocalRun::OnExit(const ProcessEvent& event) {
  const absl::Time now = absl::Now();
  const ProcessRole role = RoleOf(event.process);
  liveness_.OnExit(event.process);
  // There is no work left for it: nothing is lost but its good manners.
  const bool over = finished_.has_value() || (observer_ != nullptr && observer_->state().finished);
  const bool idle = over || (role == ProcessRole::kWorker && trained());
  if (role != ProcessRole::kServer && idle) {
    left_.insert(event.process);
    // What is killed from outside has done nothing wrong.
    if (event.exit.ok() || event.exit.signal != 0) return absl::OkStatus();
    result_.problems.push_back(absl::StrCat(event.process, " ended with ", event.exit.ToString(),
                                            " after its work was done"));
    return absl::OkStatus();
  }
  const RestartDecision decision =
      DecideRestart({event.process, role, event.exit, started_[event.process]}, now,
                    RestartOptionsOf(deployment_), &restart_state_);
  switch (decision.action) {
    case RestartAction::kStop: return Failure(event.process, decision.reason);
    case RestartAction::kLeft: display_->Note(decision.reason); return absl::OkStatus();
    case RestartAction::kRestart:
      // Whom a signal ended, said nothing about it.
      display_->Note(event.exit.signal != 0 ? decision.reason
                                            : Explained(event.process, decision.reason));
      ++result_.restarts;
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
  CheckLiveness(now);
  CONADV_RETURN_IF_ERROR(CheckMembership(now));
  CONADV_RETURN_IF_ERROR(CheckWorkers(now));
  return TakeWeights(now);
}

bool LocalRun::trained() const {
  return progress_.final_version > 0 && progress_.version >= progress_.final_version;
}

void LocalRun::TakeMetrics(absl::Time now) {
  if (feed_ == nullptr) return;
  const std::vector<MetricsFeed::Item> items = feed_->Take();
  progress_.final_version = feed_->final_version();
  if (items.empty()) return;
  for (const MetricsFeed::Item& item : items) {
    if (item.begins.has_value()) {
      GoBack(*item.begins);
      continue;
    }
    v1::MetricsRecord record = item.record;
    if (record.has_step()) {
      record.mutable_step()->set_seconds(record.step().seconds() + metrics_.seconds_before());
    }
    Apply(record, now, &progress_);
    metrics_.Append(JsonLine(ToJson(record)));
  }
  if (const absl::Status status = metrics_.Flush(); !status.ok()) display_->Note(status.message());
}

void LocalRun::GoBack(uint64_t version) {
  const absl::Status status = metrics_.GoBackTo(version, progress_.final_version);
  if (!status.ok()) display_->Note(status.message());
  if (progress_.version > version) {
    const uint64_t again = progress_.version - version;
    result_.updates_recomputed += again;
    display_->Note(absl::StrCat("the run goes on from the checkpoint of version ", version, "; ",
                                again, " updates are computed again"));
  } else if (version > 0) {
    display_->Note(absl::StrCat("the run goes on from the checkpoint of version ", version));
  }
  progress_.version = version;
  progress_.training_time = absl::Seconds(metrics_.seconds_before());
}

absl::Status LocalRun::TakeWeights(absl::Time now) {
  if (!finished_.has_value()) return absl::OkStatus();
  if (!pull_.valid() && !weights_.has_value()) {
    // In a thread of its own: our session goes on needing heartbeats.
    pull_ = std::async(
        std::launch::async, [this, timeout = pull_timeout_]() -> absl::StatusOr<Weights> {
          v1::PullRequest latest;
          latest.set_latest(true);
          absl::StatusOr<Weights> weights = PullWeights(coordinator_, latest, timeout);
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
  // What was pulled may be of a lineage that is over.
  if (std::exchange(pull_in_vain_, false)) return absl::OkStatus();
  if (weights.ok() && weights->version.value() < progress_.final_version) return absl::OkStatus();
  if (absl::IsUnavailable(weights.status()) || absl::IsDeadlineExceeded(weights.status())) {
    // A server was lost just now; it comes back, and with it the end of the run. Or the weights
    // take longer than we gave them.
    display_->Note(
        absl::StrCat("the final weights are not there yet: ", weights.status().message()));
    if (absl::IsDeadlineExceeded(weights.status())) pull_timeout_ *= 2;
    finished_.reset();
    return absl::OkStatus();
  }
  if (!weights.ok()) {
    return absl::Status(weights.status().code(), absl::StrCat("the final weights are not there: ",
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
  // Whoever is left hangs or was stopped; it has nothing that anyone needs.
  StopAllBut(ProcessRole::kServer);
  observer_->Leave();
  AwaitExits(/*servers_too=*/true);
  for (const std::string& name : supervisor_->running()) {
    // Servers end together: one that was killed now leaves the others waiting.
    if (server_killed_) continue;
    result_.problems.push_back(absl::StrCat(name, " did not end by itself after the run"));
  }
  StopAll();
}

void LocalRun::AwaitExits(bool servers_too) {
  const absl::Time until = absl::Now() + (servers_too ? kSeeOut : kSeeOutIdle);
  const auto awaited = [servers_too](const std::string& name) {
    return servers_too || RoleOf(name) != ProcessRole::kServer;
  };
  for (absl::Time now = absl::Now(); now < until; now = absl::Now()) {
    const std::vector<std::string> running = supervisor_->running();
    if (std::none_of(running.begin(), running.end(), awaited)) return;
    const absl::Time beat = servers_too ? until : observer_->Tick(now);
    const ProcessEvent event = supervisor_->Next(std::min({until, beat, now + kTick}));
    if (event.kind == ProcessEvent::Kind::kExit) {
      liveness_.OnExit(event.process);
      server_killed_ |= RoleOf(event.process) == ProcessRole::kServer && event.exit.signal != 0;
      if (server_killed_) return;
    }
    if (event.kind == ProcessEvent::Kind::kInterrupted) return;
    // The weights are written and the last checkpoint is: whoever is killed now loses nothing.
    if (event.kind == ProcessEvent::Kind::kExit && !event.exit.ok() && event.exit.signal == 0) {
      result_.problems.push_back(
          absl::StrCat(event.process, " ended with ", event.exit.ToString(), " after the run"));
    }
  }
}

void LocalRun::StopAllBut(ProcessRole role) {
  std::vector<std::string> others;
  for (const std::string& name : supervisor_->running()) {
    if (RoleOf(name) != role) others.push_back(name);
  }
  for (const std::string& name : others) {
    display_->Note(absl::StrCat(name, " does not end by itself; ending it"));
  }
  supervisor_->Stop(others, kGrace);
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
  poll_.reset();
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
