// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/join_rate.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

TEST(JoinRate, ALargeRunJoinsAtOnceAndAFloodDoesNot) {
  JoinRate rate;
  absl::Time now = absl::UnixEpoch() + absl::Hours(1);
  int joined = 0;
  while (rate.Take(now)) ++joined;
  EXPECT_EQ(joined, 2000);
  now += absl::Seconds(1);
  for (joined = 0; rate.Take(now);) ++joined;
  EXPECT_EQ(joined, 100);
  now += absl::Hours(1);
  for (joined = 0; rate.Take(now);) ++joined;
  EXPECT_EQ(joined, 2000);
}

}  // namespace
}  // namespace conadv
