// SPDX-License-Identifier: Apache-2.0
// A local run's look at its members: our own session, the workers, and whoever does nothing.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "cli/train/local_run.h"
#include "common/base/backoff.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"

namespace conadv {
namespace {

// A broken session may be a server's end, which says more: that event comes first.
constexpr absl::Duration kRejoinAfter = absl::Milliseconds(300);
// Servers that start again have this long to take us back.
constexpr absl::Duration kWithoutCoordinator = absl::Minutes(3);
// How long before the run's end the workers may have ended.
constexpr absl::Duration kWithoutWorkers = absl::Seconds(10);

}  // namespace

absl::Status LocalRun::CheckMembership(absl::Time now) {
  if (observer_ == nullptr || weights_.has_value()) return absl::OkStatus();
  const Observer::State state = observer_->state();
  if (!state.closed) {
    if (state.joined) joined_at_ = now;
    if (state.finished && !finished_.has_value()) finished_ = now;
    return absl::OkStatus();
  }
  if (IsLastWord(state.status) || now - joined_at_ > kWithoutCoordinator) {
    // It has said why; what else is in its log came after.
    return absl::AbortedError(
        absl::StrCat("the coordinator ended the run: ", state.status.message(),
                     " (log: ", specs_[ServerName(0)].log_path, ")"));
  }
  if (!rejoin_at_.has_value()) rejoin_at_ = now + kRejoinAfter;
  return now < *rejoin_at_ ? absl::OkStatus() : JoinAgain(now);
}

absl::Status LocalRun::JoinAgain(absl::Time now) {
  rejoin_at_.reset();
  // The end is not the end any more, unless a coordinator says so again.
  finished_.reset();
  pull_in_vain_ = pull_.valid();
  observer_ =
      std::make_unique<Observer>(MakeChannel(coordinator_), [this] { supervisor_->Wake(); });
  for (const std::string& name : left_) restarts_[name] = now;
  left_.clear();
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

void LocalRun::CheckLiveness(absl::Time now) {
  if (poll_ == nullptr) return;
  if (const auto answer = poll_->Take(); answer.has_value()) {
    liveness_.OnAnswer(ServerName(0), answer->members, now);
    if (!answer->warning.empty() && !warned_) {
      display_->Note(absl::StrCat("warning: ", answer->warning));
    }
    warned_ = !answer->warning.empty();
  }
  for (const std::string& process : liveness_.TakeLost(now)) {
    display_->Note(absl::StrCat(process, " runs, but takes no part any more; killing it"));
    supervisor_->Kill(process);
  }
}

}  // namespace conadv
