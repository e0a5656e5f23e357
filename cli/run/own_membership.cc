// SPDX-License-Identifier: Apache-2.0
#include "cli/run/own_membership.h"

#include "common/base/backoff.h"

namespace conadv {
namespace {

// A broken session may be a server's end, which says more: that event comes first.
constexpr absl::Duration kJoinAgainAfter = absl::Milliseconds(300);
// Servers that start again have this long to take us back.
constexpr absl::Duration kWithoutCoordinator = absl::Minutes(3);

}  // namespace

OwnMembership::Verdict OwnMembership::Check(absl::Time now) {
  if (!seen_.has_value()) return Verdict::kNothingNew;
  if (!seen_->closed) {
    join_at_.reset();
    if (seen_->joined) last_member_ = now;
    return seen_->finished ? Verdict::kRunIsOver : Verdict::kNothingNew;
  }
  if (IsLastWord(seen_->status) || now - last_member_ > kWithoutCoordinator) {
    return Verdict::kEnded;
  }
  if (!join_at_.has_value()) join_at_ = now + kJoinAgainAfter;
  if (now < *join_at_) return Verdict::kNothingNew;
  join_at_.reset();
  seen_.reset();
  return Verdict::kJoinAgain;
}

}  // namespace conadv
