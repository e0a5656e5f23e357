// SPDX-License-Identifier: Apache-2.0
#include "common/base/retry_delay.h"

#include <gtest/gtest.h>

#include "common/base/backoff.h"

namespace conadv {
namespace {

TEST(RetryDelay, TravelsInsideAStatusAndChangesNothingElse) {
  const absl::Status refused =
      WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Milliseconds(120));
  EXPECT_EQ(RetryDelayOf(refused), absl::Milliseconds(120));
  EXPECT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(refused.message(), "full");
  EXPECT_FALSE(RetryDelayOf(absl::ResourceExhaustedError("full")).has_value());
  EXPECT_FALSE(RetryDelayOf(absl::OkStatus()).has_value());
}

TEST(RetryDelay, IsTheLeastWaitOfABackoffAndJittered) {
  const absl::Duration delay = absl::Milliseconds(700);
  const absl::Status refused = WithRetryDelay(absl::ResourceExhaustedError("full"), delay);
  Backoff backoff(BackoffOptions(), 1), other(BackoffOptions(), 2);
  bool differs = false;
  for (int i = 0; i < 20; ++i) {
    const absl::Duration wait = *backoff.Next(absl::UnixEpoch(), refused);
    EXPECT_GE(wait, delay);
    EXPECT_LE(wait, delay * 1.5);
    differs = differs || wait != *other.Next(absl::UnixEpoch(), refused);
  }
  EXPECT_TRUE(differs);
}

TEST(RetryDelay, DoesNotMakeWhoWasRefusedOftenWaitLonger) {
  BackoffOptions options;
  Backoff backoff(options, 1);
  const absl::Status refused =
      WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Milliseconds(20));
  for (int i = 0; i < 20; ++i) {
    EXPECT_LE(*backoff.Next(absl::UnixEpoch(), refused), absl::Milliseconds(30));
  }
  EXPECT_LE(*backoff.Next(absl::UnixEpoch(), absl::UnavailableError("away")), options.first);
}

// A shard that waits for one slow unit sends the others' away for as long as that takes.
TEST(RetryDelay, WhoIsToldToComeBackIsNotOutOfTime) {
  BackoffOptions options;
  options.budget = absl::Seconds(10);
  Backoff backoff(options, 1);
  const absl::Status refused =
      WithRetryDelay(absl::ResourceExhaustedError("full"), absl::Milliseconds(20));
  const absl::Status away = absl::UnavailableError("away");
  absl::Time now = absl::UnixEpoch();
  EXPECT_TRUE(backoff.Next(now, away).has_value());
  EXPECT_TRUE(backoff.Next(now += options.budget, refused).has_value()) << "it is there";
  EXPECT_TRUE(backoff.Next(now += options.budget, refused).has_value());
  EXPECT_TRUE(backoff.Next(now, away).has_value()) << "counted from here";
  EXPECT_FALSE(backoff.Next(now + options.budget, away).has_value());
}

}  // namespace
}  // namespace conadv
