// SPDX-License-Identifier: Apache-2.0
#include "worker/member/member.h"

#include <glog/logging.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/thread/wait.h"

namespace conadv {
namespace {

// How often a member asks whether it was told to stop.
constexpr absl::Duration kPollInterval = absl::Milliseconds(100);

}  // namespace

// Reacts to a session's events.
class Member::Course {
 public:
  Course(Member* member, std::shared_ptr<Session> session)
      : member_(member), session_(std::move(session)) {}

  void On(const SessionWelcome& welcome) {
    works_at_ = Clock::Real().Now() + welcome.lease;
    member_->role_->Begin(session_, welcome);
    member_->role_->Settings(welcome.tau);
  }
  void On(const Offer&) { member_->role_->Offer(); }
  void On(const Grant& grant) { member_->role_->Grant(grant.units); }
  void On(const Evaluate& request) { member_->role_->Evaluate(request.version, request.robust); }
  void On(const Finished&) {
    member_->run_is_over_ = true;
    Leave();
  }
  void On(const Settings& settings) { member_->role_->Settings(settings.tau); }
  void On(const LeaveRequest&) {
    LOG(INFO) << "told to leave; finishing what is begun";
    member_->drained_ = true;
    Drain(Clock::Real().Now());
  }
  void On(const Closed& closed) {
    over_ = true;
    if (why_.ok()) why_ = closed.status;
    if (why_.ok()) why_ = absl::UnavailableError("the coordinator ended the session");
  }
  void On(const Broken& broken) {
    if (leaving_) return;
    // What the servers say of themselves is not the coordinator's last word; that this process does
    // not fit them is.
    why_ = absl::IsInvalidArgument(broken.status) ? broken.status
                                                  : absl::UnavailableError(broken.status.message());
    session_->Cancel();
  }
  void On(const Drained&) { Leave(); }
  // Now and then.
  void Poll(absl::Time now) {
    if (member_->stopped_()) Drain(now);
    if (now < deadline_) return;
    deadline_ = absl::InfiniteFuture();
    leaving_ ? session_->Cancel() : Leave();
  }

  bool over() const { return over_; }
  // Though there may have been nothing to do.
  bool worked() const { return Clock::Real().Now() > works_at_; }
  absl::Status result() const { return leaving_ || draining_ ? absl::OkStatus() : why_; }

 private:
  void Drain(absl::Time now) {
    if (draining_ || leaving_) return;
    draining_ = true;
    deadline_ = now + member_->options_.drain_timeout;
    member_->role_->Drain();
  }
  void Leave() {
    if (leaving_) return;
    leaving_ = true;
    deadline_ = Clock::Real().Now() + member_->options_.leave_timeout;
    session_->Leave();
  }

  Member* const member_;
  const std::shared_ptr<Session> session_;
  absl::Time deadline_ = absl::InfiniteFuture();
  absl::Time works_at_ = absl::InfiniteFuture();
  absl::Status why_;
  bool draining_ = false;
  bool leaving_ = false;
  bool over_ = false;
};

Member::Member(const RunInfo& run, CoordinatorClient* coordinator, MemberRole* role, Timer* timer,
               const WorkerStatistics* statistics, std::function<bool()> stopped,
               const MemberOptions& options)
    : job_bytes_(run.job_bytes),
      servers_(run.servers),
      coordinator_(coordinator),
      role_(role),
      timer_(timer),
      statistics_(statistics),
      stopped_(std::move(stopped)),
      options_(options) {
  role_->SetEvents(
      {[this](const absl::Status& status) { Post(Broken{status}); }, [this] { Post(Drained{}); }});
}

absl::Status Member::Run() {
  BackoffOptions options;
  options.budget = options_.connect_timeout;
  Backoff backoff(options, RandomIncarnation().value());
  for (;;) {
    const uint64_t progress = role_->progress();
    const SessionEnd end = RunSession();
    const absl::Status& status = end.status;
    role_->Drop();
    if (status.ok() || stopped_()) return absl::OkStatus();
    const std::string who = absl::StrCat("coordinator ", coordinator_->address(), ": ");
    if (IsLastWord(status)) {
      return absl::Status(status.code(), absl::StrCat(who, status.message()));
    }
    const absl::Time now = Clock::Real().Now();
    if (role_->progress() > progress || end.worked) backoff.Reset();
    const std::optional<absl::Duration> wait = backoff.Next(now);
    if (!wait.has_value()) {
      return absl::UnavailableError(absl::StrCat(who, "no session that works for ",
                                                 absl::FormatDuration(options_.connect_timeout),
                                                 "; the last one: ", status.message()));
    }
    LOG(WARNING) << who << "the session ended (" << status.message() << "); joining again";
    WaitForStop(*wait);
    const absl::Status found = FindAgain();
    if (stopped_()) return absl::OkStatus();
    CONADV_RETURN_IF_ERROR(found);
  }
}

Member::SessionEnd Member::RunSession() {
  {
    MutexLock lock(&mutex_);
    events_.clear();  // of the session before
  }
  SessionHello hello = role_->Hello();
  hello.servers = options_.servers;
  Course course(this, StartSession(coordinator_->channel(), hello, this, timer_, statistics_));
  while (!course.over()) {
    const std::optional<Event> event = Next();
    if (event.has_value()) std::visit([&course](const auto& e) { course.On(e); }, *event);
    course.Poll(Clock::Real().Now());
  }
  return {course.result(), course.worked()};
}

void Member::WaitForStop(absl::Duration time) { WaitFor(time, stopped_); }

absl::Status Member::FindAgain() {
  CONADV_ASSIGN_OR_RETURN(const RunInfo run,
                          coordinator_->GetRun(options_.connect_timeout, stopped_));
  if (run.job_bytes != job_bytes_ || run.servers != servers_) {
    return absl::FailedPreconditionError(
        absl::StrCat("coordinator ", coordinator_->address(),
                     " now runs another job or has other servers; start this process again"));
  }
  return absl::OkStatus();
}

void Member::Post(Event event) {
  MutexLock lock(&mutex_);
  events_.push_back(std::move(event));
  changed_.NotifyAll();
}

std::optional<Member::Event> Member::Next() {
  MutexLock lock(&mutex_);
  if (events_.empty()) changed_.WaitFor(&mutex_, kPollInterval);
  if (events_.empty()) return std::nullopt;
  Event event = std::move(events_.front());
  events_.pop_front();
  return event;
}

}  // namespace conadv
