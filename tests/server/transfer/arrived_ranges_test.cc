// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/arrived_ranges.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <vector>

namespace conadv {
namespace {

TEST(ArrivedRanges, AreWholeOnceEveryElementHasComeInAnyOrder) {
  std::mt19937 random(1);
  for (int round = 0; round < 100; ++round) {
    const Range range{7, 7 + 1 + random() % 200};
    std::vector<Range> parts;
    for (size_t begin = range.begin; begin < range.end;) {
      const size_t end = std::min<size_t>(begin + 1 + random() % 20, range.end);
      parts.push_back({begin, end});
      begin = end;
    }
    std::shuffle(parts.begin(), parts.end(), random);
    ArrivedRanges arrived(range);
    for (const Range& part : parts) {
      EXPECT_FALSE(arrived.whole());
      EXPECT_TRUE(arrived.Add(part).ok());
    }
    EXPECT_TRUE(arrived.whole());
  }
}

TEST(ArrivedRanges, NoElementComesTwiceNorFromOutside) {
  ArrivedRanges arrived({10, 50});
  ASSERT_TRUE(arrived.Add({20, 30}).ok());
  for (const Range& part : std::vector<Range>{
           {20, 30}, {29, 31}, {19, 21}, {15, 40}, {22, 23}, {9, 11}, {45, 51}, {60, 70}}) {
    EXPECT_TRUE(absl::IsInvalidArgument(arrived.Add(part))) << part.begin;
  }
  EXPECT_EQ(arrived.missing(), 30U);
  EXPECT_TRUE(arrived.Add({10, 20}).ok());
  EXPECT_TRUE(arrived.Add({30, 50}).ok());
  EXPECT_TRUE(arrived.whole());
}

TEST(ArrivedRanges, NothingIsSaidByAnEmptyPart) {
  ArrivedRanges arrived({10, 20});
  EXPECT_TRUE(arrived.Add({10, 10}).ok());
  EXPECT_TRUE(arrived.Add({20, 20}).ok());
  EXPECT_EQ(arrived.missing(), 10U);
  EXPECT_TRUE(ArrivedRanges({5, 5}).whole());
}

TEST(ArrivedRanges, APeerThatLeavesTooManyGapsIsRefused) {
  ArrivedRanges arrived({0, 1 << 20});
  size_t begin = 0;
  for (size_t i = 0; i < ArrivedRanges::kMostPieces; ++i, begin += 2) {
    ASSERT_TRUE(arrived.Add({begin, begin + 1}).ok());
  }
  EXPECT_TRUE(absl::IsInvalidArgument(arrived.Add({begin, begin + 1})));
  EXPECT_TRUE(arrived.Add({1, 2}).ok()) << "it closes a gap";
  EXPECT_TRUE(arrived.Add({begin, begin + 1}).ok());
}

}  // namespace
}  // namespace conadv
