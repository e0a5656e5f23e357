// SPDX-License-Identifier: Apache-2.0
// A process's membership in a run: one session after another until the run is finished, the process
// is told to stop, or the coordinator is lost for good. One thread calls it, and blocks in it.
#ifndef CONADV_WORKER_MEMBER_MEMBER_H_
#define CONADV_WORKER_MEMBER_MEMBER_H_

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "client/run/coordinator_client.h"
#include "common/thread/mutex.h"
#include "worker/member/role.h"
#include "worker/session/session.h"

namespace conadv {

struct MemberOptions {
  // The shards' addresses that this process was told; empty: only the coordinator's.
  std::vector<std::string> servers;
  // Without a session that gets anywhere for this long, the coordinator is lost.
  absl::Duration connect_timeout = absl::Seconds(60);
  // Told to stop: for what is in hand, and then for the coordinator's answer to a leave.
  absl::Duration drain_timeout = absl::Seconds(20);
  absl::Duration leave_timeout = absl::Seconds(5);
};

class Member final : private SessionListener {
 public:
  // What the pointers show outlives the member. `run` is what the role was made for. Once
  // `stopped`, which is asked now and then, says so, the member finishes what is in hand and
  // leaves.
  Member(const RunInfo& run, CoordinatorClient* coordinator, MemberRole* role, Timer* timer,
         const WorkerStatistics* statistics, std::function<bool()> stopped,
         const MemberOptions& options);

  // OK: the run is finished, or it was told to stop.
  absl::Status Run();
  // Why it ended, if the coordinator said so.
  bool run_is_over() const { return run_is_over_; }
  bool drained() const { return drained_; }
  // For `time` or until it is told to stop.
  void WaitForStop(absl::Duration time);

 private:
  struct Offer {};
  struct Grant {
    std::vector<Unit> units;
  };
  struct Evaluate {
    Version version;
    bool robust = false;
  };
  struct Finished {};
  struct Settings {
    TauChanges tau;
  };
  struct LeaveRequest {};
  struct Closed {
    absl::Status status;
  };
  struct Broken {
    absl::Status status;
  };
  struct Drained {};
  using Event = std::variant<SessionWelcome, Offer, Grant, Evaluate, Finished, Settings,
                             LeaveRequest, Closed, Broken, Drained>;
  // One session, from the first message to OnClosed.
  class Course;

  void OnWelcome(const SessionWelcome& welcome) override { Post(welcome); }
  void OnOffer() override { Post(Offer{}); }
  void OnGrant(std::vector<Unit> units) override { Post(Grant{std::move(units)}); }
  void OnEvaluate(Version version, bool robust) override { Post(Evaluate{version, robust}); }
  void OnFinished() override { Post(Finished{}); }
  void OnSettings(const TauChanges& tau) override { Post(Settings{tau}); }
  void OnDrain() override { Post(LeaveRequest{}); }
  void OnClosed(const absl::Status& status) override { Post(Closed{status}); }

  void Post(Event event);
  // Nothing if there is none for a while.
  std::optional<Event> Next();
  struct SessionEnd {
    absl::Status status;  // OK: there is nothing left to do
    bool worked = false;  // it lasted for a lease: what was wrong before was over
  };
  SessionEnd RunSession();
  // FAILED_PRECONDITION: what the coordinator runs now is not what this process was made for.
  absl::Status FindAgain();

  const std::string job_bytes_;
  const std::vector<std::string> servers_;
  CoordinatorClient* const coordinator_;
  MemberRole* const role_;
  Timer* const timer_;
  const WorkerStatistics* const statistics_;
  const std::function<bool()> stopped_;
  const MemberOptions options_;
  bool run_is_over_ = false;
  bool drained_ = false;  // or is about to be
  Mutex mutex_;
  CondVar changed_;
  std::deque<Event> events_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_WORKER_MEMBER_MEMBER_H_
