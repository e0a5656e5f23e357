// SPDX-License-Identifier: Apache-2.0
#include "common/base/backoff.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace conadv {
namespace {

TEST(Backoff, WaitsGrowUpToTheMostAndAreJittered) {
  BackoffOptions options;
  options.first = absl::Milliseconds(100);
  options.most = absl::Seconds(1);
  Backoff backoff(options, 1), other(options, 2);
  absl::Duration expected = options.first;
  bool differs = false;
  for (int i = 0; i < 10; ++i) {
    const absl::Duration wait = *backoff.Next(absl::UnixEpoch());
    EXPECT_GE(wait, expected / 2);
    EXPECT_LE(wait, expected);
    differs = differs || wait != *other.Next(absl::UnixEpoch());
    expected = std::min(expected * 2, options.most);
  }
  EXPECT_TRUE(differs);
}

TEST(Backoff, TheBudgetCountsFromTheFirstFailureInARow) {
  BackoffOptions options;
  options.budget = absl::Seconds(10);
  Backoff backoff(options, 1);
  const absl::Time begin = absl::UnixEpoch();
  EXPECT_TRUE(backoff.Next(begin).has_value());
  EXPECT_LE(*backoff.Next(begin + absl::Milliseconds(9990)), absl::Milliseconds(10));
  EXPECT_FALSE(backoff.Next(begin + absl::Seconds(10)).has_value());
  backoff.Reset();
  EXPECT_TRUE(backoff.Next(begin + absl::Seconds(11)).has_value());
}

}  // namespace
}  // namespace conadv
