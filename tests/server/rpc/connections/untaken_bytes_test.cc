// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/untaken_bytes.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr UntakenBytes::Limits kLimits{100 * kMiB, 10 * kMiB};
constexpr uint64_t kShort = kLimits.memory_bytes - UntakenBytes::kReserveBytes + 1;

class UntakenBytesTest : public testing::Test {
 protected:
  UntakenBytesTest() { Look(0); }
  UntakenBytes::Decision Look(uint64_t process_bytes, absl::Duration later = {}) {
    now_ += later;
    return bytes_.Look(kLimits, process_bytes, now_);
  }

  UntakenBytes bytes_;
  absl::Time now_ = absl::UnixEpoch();
};

TEST_F(UntakenBytesTest, WhoSentTheMostIsCutOffWhereMemoryRunsOut) {
  bytes_.Update(1, 3 * kMiB, 0);
  bytes_.Update(2, 8 * kMiB, 0);
  const auto decision = Look(kShort);
  ASSERT_EQ(decision.cut_off.size(), 1);
  EXPECT_EQ(decision.cut_off[0].connection, 2);
  EXPECT_EQ(decision.cut_off[0].untaken_bytes, 8 * kMiB);
  EXPECT_TRUE(Look(kShort).cut_off.empty());
}

TEST_F(UntakenBytesTest, ManyThatRushTogetherAreCutOffAtOneLook) {
  for (uint64_t id = 0; id < 16; ++id) bytes_.Update(id, 2 * kMiB, 0);
  EXPECT_EQ(Look(kShort).cut_off.size(), 11);  // 5 that are left may send 10 MiB ahead
}

TEST_F(UntakenBytesTest, NobodyIsCutOffWhileThereIsMemory) {
  bytes_.Update(1, 1000 * kMiB, 0);
  const auto decision = Look(kShort - 1);
  EXPECT_TRUE(decision.cut_off.empty());
  EXPECT_FALSE(decision.release);
}

TEST_F(UntakenBytesTest, WhoseBytesAreTakenIsNotCutOffWhateverTheMemory) {
  for (uint64_t sent = 0; sent < 5000 * kMiB; sent += 50 * kMiB) {
    bytes_.Update(1, sent + 9 * kMiB, sent);
    const auto decision = Look(2 * kLimits.memory_bytes, absl::Milliseconds(1));
    ASSERT_TRUE(decision.cut_off.empty());
    ASSERT_FALSE(decision.release);
  }
}

TEST_F(UntakenBytesTest, MoreThanWasSentIsNotTakenInAdvance) {
  bytes_.Update(1, 0, 1000 * kMiB);
  bytes_.Update(1, 11 * kMiB, 1000 * kMiB);
  EXPECT_EQ(Look(kShort).cut_off.size(), 1);
}

TEST_F(UntakenBytesTest, WhatComesSlowlyIsNoRush) {
  for (uint64_t second = 1; second <= 100; ++second) {
    bytes_.Update(1, second * UntakenBytes::kNoRushEachSecond, 0);
    EXPECT_TRUE(Look(0, absl::Seconds(1)).cut_off.empty());
  }
  // And counts where memory runs out, if a release does not help.
  const auto decision = Look(kShort);
  EXPECT_TRUE(decision.cut_off.empty());
  EXPECT_TRUE(decision.release);
  EXPECT_FALSE(Look(kShort - 1).release);
  EXPECT_EQ(Look(kShort).cut_off.size(), 1);
}

TEST_F(UntakenBytesTest, ReleasesHaveTimeBetweenThem) {
  bytes_.Update(1, 11 * kMiB, 0);
  Look(0, absl::Seconds(1));  // forgotten as a rush
  bytes_.Update(2, 11 * kMiB, 0);
  Look(0, absl::Seconds(1));
  EXPECT_TRUE(Look(kShort).release);
  EXPECT_EQ(Look(kShort).cut_off.size(), 1);
  EXPECT_FALSE(Look(kShort, UntakenBytes::kReleaseEach - absl::Milliseconds(1)).release);
  EXPECT_TRUE(Look(kShort, absl::Milliseconds(1)).release);
}

TEST_F(UntakenBytesTest, WhoIsGoneCountsNoMore) {
  bytes_.Update(1, 11 * kMiB, 0);
  bytes_.Remove(1);
  EXPECT_TRUE(Look(kShort).cut_off.empty());
}

TEST(NextLook, ComesBeforeTheFastestWireHasFilledWhatIsLeft) {
  EXPECT_EQ(UntakenBytes::NextLook({100'000'000, 0}, 0), absl::Milliseconds(10));
  EXPECT_EQ(UntakenBytes::NextLook({100'000'000, 0}, 200'000'000), UntakenBytes::kShortestWait);
  EXPECT_EQ(UntakenBytes::NextLook({uint64_t{1} << 40, 0}, 0), UntakenBytes::kLongestWait);
}

}  // namespace
}  // namespace conadv
