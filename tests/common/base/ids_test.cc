// SPDX-License-Identifier: Apache-2.0
#include "common/base/ids.h"

#include <type_traits>

#include "absl/hash/hash.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

static_assert(!std::is_convertible_v<Step, Version>, "a step is no version");
static_assert(!std::is_convertible_v<uint64_t, Version>, "a bare number is no version");

TEST(IdTest, ArithmeticCountsFromTheValue) {
  Version version(5);
  EXPECT_EQ((version + 2).value(), 7);
  EXPECT_EQ((version - 5).value(), 0);
  EXPECT_EQ(Version(9).Since(version), 4);
  EXPECT_EQ((++version).value(), 6);
}

TEST(IdTest, MinusOrZeroStopsAtZero) {
  EXPECT_EQ(Version(3).MinusOrZero(2), Version(1));
  EXPECT_EQ(Version(3).MinusOrZero(3), Version(0));
  EXPECT_EQ(Version(3).MinusOrZero(4), Version(0));
}

TEST(UnitTest, OrdersByStepAndThenSlot) {
  const Unit early{Step(1), Slot(9)};
  const Unit late{Step(2), Slot(0)};
  EXPECT_LT(early, late);
  EXPECT_LT(late, (Unit{Step(2), Slot(1)}));
  EXPECT_FALSE(late < early);
  EXPECT_NE(early, late);
  EXPECT_EQ(early, (Unit{Step(1), Slot(9)}));
}

TEST(UnitTest, SaysWhichItIs) { EXPECT_EQ((Unit{Step(12), Slot(3)}).ToString(), "step 12 slot 3"); }

TEST(UnitTest, HashesAsItCompares) {
  EXPECT_EQ(absl::HashOf(Unit{Step(1), Slot(2)}), absl::HashOf(Unit{Step(1), Slot(2)}));
  EXPECT_NE(absl::HashOf(Unit{Step(1), Slot(2)}), absl::HashOf(Unit{Step(2), Slot(1)}));
}

}  // namespace
}  // namespace conadv
