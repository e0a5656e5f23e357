// SPDX-License-Identifier: Apache-2.0
#include "worker/data/permutation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <vector>

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAreArray;

std::vector<uint64_t> Epoch(uint64_t seed, uint64_t epoch, uint64_t n) {
  std::vector<uint64_t> order;
  for (uint64_t position = 0; position < n; ++position) {
    order.push_back(Permute(seed, epoch, n, position));
  }
  return order;
}

TEST(Permute, IsABijectionForEveryN) {
  std::vector<uint64_t> sizes = {1023, 1024, 1025, 4097, 59999, 60000, 65536};
  for (uint64_t n = 1; n <= 300; ++n) sizes.push_back(n);
  for (const uint64_t n : sizes) {
    std::vector<bool> seen(n, false);
    for (const uint64_t value : Epoch(n, n % 5, n)) {
      ASSERT_LT(value, n);
      ASSERT_FALSE(seen[value]) << "twice " << value << " of " << n;
      seen[value] = true;
    }
  }
}

TEST(Permute, StaysInsideAndApartForHugeN) {
  for (const uint64_t n : {(uint64_t{1} << 40) - 1, uint64_t{1} << 40, (uint64_t{1} << 40) + 1,
                           (uint64_t{1} << 63) + 1, UINT64_MAX}) {
    std::set<uint64_t> seen;
    for (uint64_t i = 0; i < 1000; ++i) {
      const uint64_t value = Permute(1, 0, n, i % 2 == 0 ? i : n - 1 - i);
      ASSERT_LT(value, n);
      ASSERT_TRUE(seen.insert(value).second);
    }
    // Not just the low end.
    EXPECT_GT(*seen.rbegin(), n / 2);
  }
}

TEST(Permute, ChangesWithSeedAndEpoch) {
  const std::vector<uint64_t> order = Epoch(1, 0, 1000);
  EXPECT_EQ(order, Epoch(1, 0, 1000));
  EXPECT_NE(order, Epoch(2, 0, 1000));
  EXPECT_NE(order, Epoch(1, 1, 1000));
  EXPECT_NE(order, Epoch(uint64_t{1} << 32 | 1, 0, 1000));
  EXPECT_NE(order, Epoch(1, uint64_t{1} << 32, 1000));
}

// Over all 24 orders of four things, each should come up about 10,000 / 24 = 417 times; 6 standard
// deviations are 120.
TEST(Permute, MakesEveryOrderAboutEquallyOften) {
  std::map<std::vector<uint64_t>, int> orders;
  for (uint64_t epoch = 0; epoch < 10000; ++epoch) ++orders[Epoch(7, epoch, 4)];
  EXPECT_EQ(orders.size(), 24);
  for (const auto& [order, count] : orders) EXPECT_NEAR(count, 417, 120);
}

// Values that runs have been made with: another value here is another order of examples in every
// run.
TEST(Permute, IsTheSameInEveryBuild) {
  EXPECT_THAT(Epoch(1, 0, 10), ElementsAre(2, 5, 6, 1, 9, 3, 8, 4, 7, 0));
  EXPECT_THAT(Epoch(1, 1, 10), ElementsAre(0, 3, 2, 7, 9, 6, 8, 5, 1, 4));
  EXPECT_EQ(Permute(1, 0, 60000, 0), 21271);
  EXPECT_EQ(Permute(42, 3, 60000, 59999), 13902);
  EXPECT_EQ(Permute(42, 3, uint64_t{1} << 40, 12345678901), 169684607260);
}

std::vector<uint64_t> StepExamples(uint64_t n, uint32_t slots, uint32_t batch, uint64_t step) {
  std::vector<uint64_t> all;
  for (uint64_t slot = 0; slot < slots; ++slot) {
    const auto unit = UnitExamples(5, n, slots, batch / slots, {Step(step), Slot(slot)});
    EXPECT_EQ(unit.size(), batch / slots);
    all.insert(all.end(), unit.begin(), unit.end());
  }
  return all;
}

TEST(UnitExamples, OfAStepAreTheSameForAnyNumberOfSlots) {
  for (uint64_t step = 0; step < 40; ++step) {
    const auto whole = StepExamples(1000, 1, 64, step);
    EXPECT_EQ(StepExamples(1000, 2, 64, step), whole);
    EXPECT_EQ(StepExamples(1000, 4, 64, step), whole);
    EXPECT_EQ(StepExamples(1000, 64, 64, step), whole);
  }
}

TEST(UnitExamples, CoverEachEpochExactlyOnce) {
  // 25 batches of 40 are the 1,000 examples; the fourth batch of 300 begins in one epoch and ends
  // in the next.
  std::vector<uint64_t> epoch;
  for (uint64_t step = 25; step < 50; ++step) {
    const auto batch = StepExamples(1000, 4, 40, step);
    epoch.insert(epoch.end(), batch.begin(), batch.end());
  }
  EXPECT_EQ(epoch, Epoch(5, 1, 1000));

  const auto crossing = StepExamples(1000, 1, 300, 3);
  auto expected = Epoch(5, 0, 1000);
  expected.erase(expected.begin(), expected.begin() + 900);
  const auto next = Epoch(5, 1, 1000);
  expected.insert(expected.end(), next.begin(), next.begin() + 200);
  EXPECT_EQ(crossing, expected);
}

TEST(UnitExamples, OfABatchLargerThanTheDataSetAreWholeEpochs) {
  const auto unit = UnitExamples(5, 3, 1, 9, {Step(0), Slot(0)});
  EXPECT_THAT(unit, UnorderedElementsAreArray({0, 0, 0, 1, 1, 1, 2, 2, 2}));
}

TEST(UnitExamples, DoNotOverflowInAVeryLongRun) {
  const uint64_t far = uint64_t{1} << 62;
  const auto unit = UnitExamples(5, 1000, 4, 250, {Step(far), Slot(3)});
  const auto epoch = Epoch(5, far, 1000);
  EXPECT_EQ(unit, std::vector<uint64_t>(epoch.begin() + 750, epoch.end()));
}

}  // namespace
}  // namespace conadv
