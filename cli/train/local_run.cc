// SPDX-License-Identifier: Apache-2.0
#include "cli/train/local_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "cli/format/json_output.h"
#include "cli/results/run_directory.h"
#include "cli/results/run_paths.h"
#include "common/base/exit_code.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"

namespace conadv {
namespace {

constexpr char kListening[] = "listening on ";
constexpr absl::Duration kServerStart = absl::Seconds(60);
// For a checkpoint before we stop: more than a server takes for it.
constexpr absl::Duration kSave = absl::Seconds(20);
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
                   ProgressDisplay* display, EarlierRun* earlier, const FileSystem* files,
                   const Clock* clock)
    : deployment_(std::move(deployment)),
      job_(job),
      supervisor_(supervisor),
      display_(display),
      earlier_(earlier),
      files_(files),
      clock_(clock),
      metrics_(MetricsPath(deployment_.directory), files),
      liveness_(LivenessOptionsOf(job)),
      write_backoff_(kWriteAgain, RandomIncarnation().value()) {
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
  started_all_ = clock_->Now();
  while (!weights_.has_value()) {
    CONADV_RETURN_IF_ERROR(Handle(supervisor_->Next(NextDeadline())));
    const absl::Time now = clock_->Now();
    CONADV_RETURN_IF_ERROR(Advance(now));
    display_->Show(progress_, now);
  }
  display_->ShowLast(progress_, clock_->Now());
  if (std::string missing = MissingMetrics(); !missing.empty()) {
    result_.problems.push_back(std::move(missing));
  }
  if (!result_.clean_accuracy.has_value() && !evaluator_lost_.empty()) {
    result_.problems.push_back(absl::StrCat("there is no final evaluation: ", evaluator_lost_));
  }
  return absl::OkStatus();
}

absl::Time LocalRun::NextDeadline() const {
  const absl::Time now = clock_->Now();
  absl::Time deadline = now + kTick;
  for (const auto& [name, at] : restarts_) deadline = std::min(deadline, at);
  if (rejoin_at_.has_value()) deadline = std::min(deadline, *rejoin_at_);
  if (observer_ != nullptr) deadline = std::min(deadline, observer_->Tick(now));
  return std::min(deadline, std::max(display_->next(), now + absl::Milliseconds(10)));
}

absl::Status LocalRun::Handle(const ProcessEvent& event) {
  switch (event.kind) {
    case ProcessEvent::Kind::kLine: return OnLine(event);
    case ProcessEvent::Kind::kExit: return OnExit(event);
    case ProcessEvent::Kind::kInterrupted: return OnInterrupt();
    case ProcessEvent::Kind::kWoken:
    case ProcessEvent::Kind::kTimeout: return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::Status LocalRun::OnLine(const ProcessEvent& event) {
  if (RoleOf(event.process) == ProcessRole::kServer) return OnServerLine(event);
  if (event.line == kRunIsOver) told_over_.insert(event.process);
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
  joined_at_ = clock_->Now();
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
  started_[spec.name] = clock_->Now();
  log_begins_[spec.name] =
      files_->Exists(spec.log_path) ? files_->Size(spec.log_path).value_or(0) : 0;
  told_over_.erase(spec.name);
  liveness_.OnStart(spec.name, clock_->Now());
  return supervisor_->Start(spec);
}

absl::Status LocalRun::OnExit(const ProcessEvent& event) {
  const ProcessRole role = RoleOf(event.process);
  liveness_.OnExit(event.process);
  if (stopping_.has_value()) {
    return event.process == ServerName(0) ? Stopped() : absl::OkStatus();
  }
  // There is no work left for it: nothing is lost but its good manners.
  // It may know of the end before we do, and says so.
  const bool over = finished_.has_value() || told_over_.count(event.process) > 0 ||
                    (observer_ != nullptr && observer_->state().finished);
  const bool idle = over || (role == ProcessRole::kWorker && trained());
  if (role != ProcessRole::kServer && idle) {
    left_.insert(event.process);
    // What is killed from outside has done nothing wrong.
    if (event.exit.ok() || event.exit.signal != 0) return absl::OkStatus();
    result_.problems.push_back(absl::StrCat(event.process, " ended with ", event.exit.ToString(),
                                            " after its work was done"));
    return absl::OkStatus();
  }
  return OnLoss(event);
}

absl::Status LocalRun::OnLoss(const ProcessEvent& event) {
  const ProcessRole role = RoleOf(event.process);
  const RestartDecision decision =
      DecideRestart({event.process, role, event.exit, started_[event.process]}, clock_->Now(),
                    RestartOptionsOf(deployment_), &restart_state_);
  // Whom a signal ended, said nothing about it.
  const std::string explained =
      event.exit.signal != 0 ? decision.reason : Explained(event.process, decision.reason);
  if (role == ProcessRole::kEvaluator) {
    evaluator_lost_ = absl::StrCat(event.process, " ended with ", event.exit.ToString());
    if (event.exit.signal == 0) evaluator_lost_ = Explained(event.process, evaluator_lost_);
  }
  if (role == ProcessRole::kServer) progress_.phase = absl::StrCat("waiting for ", event.process);
  switch (decision.action) {
    case RestartAction::kStop: return Failure(event.process, decision.reason);
    case RestartAction::kLeft: display_->Note(decision.reason); return absl::OkStatus();
    case RestartAction::kGoOnWithout: display_->Note(explained); return absl::OkStatus();
    case RestartAction::kRestart:
      display_->Note(explained);
      ++result_.restarts;
      if (role == ProcessRole::kServer && !trained()) progress_.waiting_for = event.process;
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
  if (stopping_.has_value()) {
    TakeMetrics(now);
    return now - *stopping_ > kSave ? Stopped() : absl::OkStatus();
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
  FlushMetrics(now);
  if (earlier_->aside() && progress_.version > 0) {
    if (const absl::Status gone = earlier_->Drop(); !gone.ok()) display_->Note(gone.message());
  }
}

void LocalRun::FlushMetrics(absl::Time now) {
  if (now < metrics_again_) return;
  const absl::Status status = metrics_.Flush();
  metrics_again_ = status.ok() ? now : now + kTick;
  if (status.ok() == metrics_status_.ok()) return;
  display_->Note(status.ok() ? absl::StrCat(MetricsPath(deployment_.directory), " is written again")
                             : absl::StrCat("warning: ", status.message(),
                                            " (training goes on, and the lines wait in memory)"));
  metrics_status_ = status;
}

std::string LocalRun::MissingMetrics() const {
  const uint64_t lost = metrics_.lost() + (feed_ == nullptr ? 0 : feed_->missed());
  const uint64_t missing = lost + metrics_.waiting();
  std::string why = missing > 0 ? absl::StrCat(missing, " records") : "";
  if (!trained()) why = absl::StrCat("what comes after version ", progress_.version);
  if (why.empty() && metrics_status_.ok()) return "";
  return absl::StrCat(MetricsPath(deployment_.directory), " lacks ", why.empty() ? "records" : why,
                      metrics_status_.ok() ? "" : absl::StrCat(": ", metrics_status_.message()));
}

void LocalRun::GoBack(uint64_t version) {
  // What is wrong with it, the next Flush says.
  metrics_.GoBackTo(version, progress_.final_version).IgnoreError();
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

std::string LocalRun::Explained(const std::string& process, const std::string& reason) const {
  const auto spec = specs_.find(process);
  if (spec == specs_.end()) return reason;
  const absl::StatusOr<std::string> log = files_->Read(spec->second.log_path);
  const auto begins = log_begins_.find(process);
  const std::string message =
      log.ok() && begins != log_begins_.end()
          ? FinalReason(absl::string_view(*log).substr(std::min(begins->second, log->size())))
          : "";
  return absl::StrCat(reason, message.empty() ? "" : ": ", message);
}

absl::Status LocalRun::Failure(const std::string& process, const std::string& reason) const {
  const auto spec = specs_.find(process);
  // When the earlier run is put back, this one's log goes.
  if (spec == specs_.end()) return absl::AbortedError(reason);
  if (earlier_->aside()) return absl::AbortedError(Explained(process, reason));
  return absl::AbortedError(
      absl::StrCat(Explained(process, reason), " (log: ", spec->second.log_path, ")"));
}

}  // namespace conadv
