// SPDX-License-Identifier: Apache-2.0
#include "cli/run/own_membership.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

using Verdict = OwnMembership::Verdict;

const absl::Status kGone = absl::UnavailableError("gone");
constexpr absl::Time kStart = absl::UnixEpoch();

TEST(OwnMembership, ABrokenSessionIsTakenUpAgainOnceAfterAMoment) {
  OwnMembership membership;
  membership.Begin(kStart);
  membership.OnSeen({true, false, true, kGone});
  EXPECT_EQ(membership.Check(kStart), Verdict::kNothingNew);
  const absl::Time again = membership.next_check();
  EXPECT_EQ(again, kStart + absl::Milliseconds(300));
  EXPECT_EQ(membership.Check(again), Verdict::kJoinAgain);
  EXPECT_EQ(membership.Check(again), Verdict::kNothingNew);
  EXPECT_EQ(membership.next_check(), absl::InfiniteFuture());
}

TEST(OwnMembership, ServersThatStartAgainHaveThreeMinutesToTakeUsBack) {
  OwnMembership membership;
  membership.Begin(kStart);
  absl::Time now = kStart;
  for (; now <= kStart + absl::Minutes(3); now += absl::Seconds(1)) {
    membership.OnSeen({false, false, true, kGone});
    EXPECT_NE(membership.Check(now), Verdict::kEnded);
  }
  membership.OnSeen({false, false, true, kGone});
  EXPECT_EQ(membership.Check(now), Verdict::kEnded);
  EXPECT_EQ(membership.reason(), "gone");
}

TEST(OwnMembership, WhoIsTakenBackHasTheWholeTimeAgain) {
  OwnMembership membership;
  membership.Begin(kStart);
  membership.OnSeen({true, false, false, {}});
  EXPECT_EQ(membership.Check(kStart + absl::Minutes(5)), Verdict::kNothingNew);
  membership.OnSeen({true, false, true, kGone});
  EXPECT_EQ(membership.Check(kStart + absl::Minutes(7)), Verdict::kNothingNew);
}

TEST(OwnMembership, ACoordinatorsLastWordIsFinal) {
  OwnMembership membership;
  membership.Begin(kStart);
  membership.OnSeen({true, false, true, absl::AbortedError("the run has failed")});
  EXPECT_EQ(membership.Check(kStart), Verdict::kEnded);
}

TEST(OwnMembership, TheRunIsOverWhenTheCoordinatorSaysSoUntilItIsJoinedAnew) {
  OwnMembership membership;
  membership.Begin(kStart);
  membership.OnSeen({true, true, false, {}});
  EXPECT_EQ(membership.Check(kStart), Verdict::kRunIsOver);
  membership.OnSeen({true, true, true, kGone});
  EXPECT_EQ(membership.Check(kStart), Verdict::kNothingNew);
  EXPECT_TRUE(membership.heard_run_is_over());
  EXPECT_EQ(membership.Check(membership.next_check()), Verdict::kJoinAgain);
  EXPECT_FALSE(membership.heard_run_is_over());
}

}  // namespace
}  // namespace conadv
