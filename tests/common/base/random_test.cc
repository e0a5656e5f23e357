// SPDX-License-Identifier: Apache-2.0
#include "common/base/random.h"

#include <cmath>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

// Random123 (D. E. Shaw Research), tests/kat_vectors, the lines "philox4x32 10".
TEST(PhiloxTest, GivesTheKnownAnswers) {
  EXPECT_THAT(Philox({0, 0, 0, 0}, {0, 0}),
              ElementsAre(0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8));
  EXPECT_THAT(Philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
              ElementsAre(0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd));
  EXPECT_THAT(Philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
              ElementsAre(0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1));
}

TEST(RandomTest, SameArgumentsGiveTheSameStream) {
  Random a(7, Purpose::kPermutation, 3, 2);
  Random b(7, Purpose::kPermutation, 3, 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(a.Next64(), b.Next64());
}

TEST(RandomTest, EveryArgumentMakesAnotherStream) {
  std::set<uint64_t> first;
  int streams = 0;
  for (const uint64_t seed : {uint64_t{1}, uint64_t{2}, uint64_t{1} << 32 | 1}) {
    for (const Purpose purpose : {Purpose::kInitialWeights, Purpose::kAttackStart}) {
      for (const uint64_t a : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 32}) {
        for (const uint32_t b : {0U, 1U}) {
          first.insert(Random(seed, purpose, a, b).Next64());
          ++streams;
        }
      }
    }
  }
  EXPECT_EQ(first.size(), streams);
}

TEST(RandomTest, FloatsAreUniformInTheUnitInterval) {
  Random random(1, Purpose::kAttackStart);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const float draw = random.NextFloat();
    ASSERT_GE(draw, 0);
    ASSERT_LT(draw, 1);
    sum += draw;
    squares += draw * draw;
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, 0.005);
}

TEST(RandomTest, BelowReachesAllAndOnlyTheRange) {
  Random random(1, Purpose::kPermutation);
  std::vector<int> counts(7);
  constexpr int kDraws = 70'000;
  for (int i = 0; i < kDraws; ++i) {
    const uint64_t draw = random.Below(7);
    ASSERT_LT(draw, 7);
    ++counts[draw];
  }
  // Five standard deviations of a binomial around 10,000.
  for (const int count : counts) EXPECT_NEAR(count, kDraws / 7, 5 * std::sqrt(kDraws / 7.0));
  for (int i = 0; i < 10; ++i) EXPECT_EQ(random.Below(1), 0);
}

// A plain remainder of 64 bits would fall into the first third of this range half the time.
TEST(RandomTest, BelowIsNotBiasedForRangesNearTheWordSize) {
  Random random(1, Purpose::kPermutation);
  constexpr uint64_t kThird = uint64_t{1} << 62;
  int low = 0;
  for (int i = 0; i < 30'000; ++i) {
    const uint64_t draw = random.Below(3 * kThird);
    ASSERT_LT(draw, 3 * kThird);
    low += draw < kThird;
  }
  EXPECT_NEAR(low, 10'000, 500);
}

TEST(RandomTest, GaussiansHaveMeanZeroAndVarianceOne) {
  Random random(1, Purpose::kInitialWeights);
  double sum = 0;
  double squares = 0;
  double fourth = 0;
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    const double draw = random.NextGaussian();
    ASSERT_TRUE(std::isfinite(draw));
    sum += draw;
    squares += draw * draw;
    fourth += draw * draw * draw * draw;
  }
  EXPECT_NEAR(sum / kDraws, 0, 0.02);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
  EXPECT_NEAR(fourth / kDraws, 3, 0.2);
}

TEST(RandomTest, IncarnationsDifferAndAreNeverZero) {
  const Incarnation a = RandomIncarnation();
  EXPECT_NE(a, RandomIncarnation());
  EXPECT_NE(a, Incarnation(0));
}

}  // namespace
}  // namespace conadv
