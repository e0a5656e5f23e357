// SPDX-License-Identifier: Apache-2.0
// Our own membership in a run: whether the coordinator says that it is over, has to be joined
// again, or has ended it. Pure. One thread.
#ifndef CONADV_CLI_RUN_OWN_MEMBERSHIP_H_
#define CONADV_CLI_RUN_OWN_MEMBERSHIP_H_

#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cli/run/run_event.h"

namespace conadv {

class OwnMembership {
 public:
  enum class Verdict {
    kNothingNew,
    kRunIsOver,  // the coordinator says so
    kJoinAgain,  // the session is broken; said once, then it is a new one
    kEnded,      // for good; see reason()
  };

  // We are joining for the first time.
  void Begin(absl::Time now) { last_member_ = now; }
  // What it means Check decides: a process's end, which comes meanwhile, says more.
  void OnSeen(const MembershipSeen& seen) { seen_ = seen; }
  Verdict Check(absl::Time now);

  // The coordinator said that the run is over, in the present session.
  bool heard_run_is_over() const { return seen_.has_value() && seen_->finished; }
  // InfiniteFuture: no time is known at which Check has something new to say.
  absl::Time next_check() const { return join_at_.value_or(absl::InfiniteFuture()); }
  // REQUIRES: kEnded.
  std::string reason() const { return std::string(seen_->status.message()); }

 private:
  std::optional<MembershipSeen> seen_;  // last, in the present session
  absl::Time last_member_;
  std::optional<absl::Time> join_at_;
};

}  // namespace conadv

#endif  // CONADV_CLI_RUN_OWN_MEMBERSHIP_H_
