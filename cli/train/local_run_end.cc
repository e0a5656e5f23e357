// SPDX-License-Identifier: Apache-2.0
// The end of a local run: its final weights, everybody's leave, or a stop in the middle.
#include <algorithm>
#include <chrono>
#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/results/run_directory.h"
#include "cli/results/run_paths.h"
#include "cli/train/local_run.h"

namespace conadv {
namespace {

// How long the last records may take after the end.
constexpr absl::Duration kLastRecords = absl::Seconds(5);
// How long a process may take to end by itself, and to obey.
constexpr absl::Duration kSeeOut = absl::Seconds(30);
constexpr absl::Duration kSeeOutIdle = absl::Seconds(10);
constexpr absl::Duration kGrace = absl::Seconds(5);
// For what a server that is gone has said.
constexpr absl::Duration kGoodbye = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(10);
constexpr absl::Duration kTick = absl::Seconds(1);

}  // namespace

absl::Status LocalRun::OnInterrupt() {
  const bool trains = progress_.final_version > 0 && !trained();
  if (stopping_.has_value() || !trains || !supervisor_->Runs(ServerName(0))) return Stopped();
  stopping_ = clock_->Now();
  display_->Note("saving a checkpoint, then stopping; interrupt again to stop at once");
  // It asks every shard for one, and the workers go on until it is there.
  supervisor_->Terminate(ServerName(0));
  return absl::OkStatus();
}

std::string LocalRun::HowToGoOn() const {
  const auto newest = NewestCheckpoint(deployment_.directory, deployment_.servers, *files_);
  if (!newest.has_value()) return "";
  return absl::StrCat("; conadv train --resume=", deployment_.directory, " goes on from version ",
                      *newest);
}

absl::Status LocalRun::Stopped() {
  // What the last updates said is on its way to us.
  const absl::Time until = clock_->Now() + kGoodbye;
  while (feed_ != nullptr && feed_->following() && clock_->Now() < until) {
    supervisor_->Next(std::min(until, clock_->Now() + kLook));
    TakeMetrics(clock_->Now());
  }
  TakeMetrics(clock_->Now());
  const std::string missing = metrics_status_.ok() ? "" : MissingMetrics();
  return absl::CancelledError(absl::StrCat("interrupted; the run has been stopped", HowToGoOn(),
                                           missing.empty() ? "" : absl::StrCat("; ", missing)));
}

bool LocalRun::WaitsForTheDisk(const absl::Status& weights_written, absl::Time now) {
  metrics_again_ = now;
  FlushMetrics(now);
  const absl::Status& trouble = weights_written.ok() ? metrics_status_ : weights_written;
  if (trouble.ok()) {
    if (waits_for_disk_) display_->Note("the results are written");
    return false;
  }
  // The servers keep the weights as long as we stay.
  const std::optional<absl::Duration> wait = write_backoff_.Next(now);
  if (!wait.has_value()) return false;
  write_again_ = now + *wait;
  if (!std::exchange(waits_for_disk_, true)) {
    display_->Note(absl::StrCat(
        "the run is done, but ", weights_written.ok() ? "its last records" : "the final weights",
        " cannot be written: ", trouble.message(), "; trying again for ",
        absl::FormatDuration(kWriteAgain.budget), " (conadv pull --server=", coordinator_,
        " --out=FILE writes the weights elsewhere meanwhile)"));
  }
  return true;
}

LocalRun::FinalWeights LocalRun::PullAndWrite(absl::Duration timeout) const {
  v1::PullRequest latest;
  latest.set_latest(true);
  FinalWeights final;
  final.weights = PullWeights(coordinator_, latest, timeout);
  if (final.weights.ok()) {
    final.written = WriteWeights(*final.weights, WeightsPath(deployment_.directory), *files_);
  }
  supervisor_->Wake();
  return final;
}

absl::Status LocalRun::TakeWeights(absl::Time now) {
  if (!finished_.has_value() || now < write_again_) return absl::OkStatus();
  if (!pull_.valid() && !weights_.has_value()) {
    // In a thread of its own: our session goes on needing heartbeats.
    pull_ = std::async(std::launch::async,
                       [this, timeout = pull_timeout_] { return PullAndWrite(timeout); });
    return absl::OkStatus();
  }
  if (pull_.wait_for(std::chrono::seconds(0)) != std::future_status::ready) return absl::OkStatus();
  const bool heard_all = trained() && progress_.evaluated_version == progress_.final_version;
  if (!heard_all && now - *finished_ < kLastRecords) return absl::OkStatus();
  FinalWeights final = pull_.get();
  absl::StatusOr<Weights>& weights = final.weights;
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
  if (WaitsForTheDisk(final.written, now)) return absl::OkStatus();
  if (!final.written.ok()) {
    return absl::Status(final.written.code(),
                        absl::StrCat("the final weights could not be written for ",
                                     absl::FormatDuration(kWriteAgain.budget), ": ",
                                     final.written.message(), HowToGoOn()));
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
  const absl::Time until = clock_->Now() + (servers_too ? kSeeOut : kSeeOutIdle);
  const auto awaited = [servers_too](const std::string& name) {
    return servers_too || RoleOf(name) != ProcessRole::kServer;
  };
  for (absl::Time now = clock_->Now(); now < until; now = clock_->Now()) {
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

}  // namespace conadv
