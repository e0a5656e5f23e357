// SPDX-License-Identifier: Apache-2.0
#include "server/shard/retry_delays.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

TEST(RetryDelays, GrowWithTheLineUpToABound) {
  RetryDelays delays;
  for (int refused = 1; refused <= 64; ++refused) {
    EXPECT_EQ(delays.Refuse(), RetryDelays::kEach * refused);
  }
  for (int refused = 0; refused < 1000; ++refused) delays.Refuse();
  EXPECT_EQ(delays.Refuse(), absl::Seconds(2));
}

TEST(RetryDelays, EveryoneWhoGetsInShortensTheLine) {
  RetryDelays delays;
  for (int i = 0; i < 10; ++i) delays.Refuse();
  for (int i = 0; i < 4; ++i) delays.Admit(90, 100);
  EXPECT_EQ(delays.Refuse(), RetryDelays::kEach * 7);
  for (int i = 0; i < 100; ++i) delays.Admit(90, 100);
  EXPECT_EQ(delays.Refuse(), RetryDelays::kEach);
}

TEST(RetryDelays, WithRoomToSpareThereIsNoLine) {
  RetryDelays delays;
  for (int i = 0; i < 50; ++i) delays.Refuse();
  delays.Admit(50, 100);
  EXPECT_EQ(delays.Refuse(), RetryDelays::kEach);
}

TEST(RetryDelays, WhoIsFarBehindComesBackWellBeforeItsTurnAtThePaceOfThoseThatCome) {
  RetryDelays delays;
  EXPECT_EQ(delays.RefuseBehind(20), RetryDelays::kEach * 5) << "nothing is known yet";
  absl::Time now = absl::UnixEpoch();
  for (int i = 0; i < 100; ++i) delays.Arrive(now += absl::Milliseconds(4));
  EXPECT_NEAR(absl::ToDoubleMilliseconds(delays.RefuseBehind(10)), 10, 0.1);
  EXPECT_EQ(delays.RefuseBehind(0), RetryDelays::kShortest);
  EXPECT_EQ(delays.RefuseBehind(1'000'000), RetryDelays::kLongest);
  delays.Arrive(now + absl::Hours(10));  // nobody came for long: it is not as slow for ever
  EXPECT_LT(delays.RefuseBehind(1), absl::Milliseconds(200));
}

}  // namespace
}  // namespace conadv
