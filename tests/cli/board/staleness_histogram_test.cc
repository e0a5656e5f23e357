// SPDX-License-Identifier: Apache-2.0
#include "cli/board/staleness_histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(StalenessHistogram, ABucketLiesAroundItsWholeNumber) {
  const tensorboard::Histogram histogram = StalenessHistogram({2, 1, 2, 3});
  EXPECT_THAT(histogram.bucket_limit(), ElementsAre(1.5, 2.5, 3.5));
  EXPECT_THAT(histogram.bucket(), ElementsAre(1, 2, 1));
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 3);
  EXPECT_EQ(histogram.num(), 4);
  EXPECT_EQ(histogram.sum(), 8);
  EXPECT_EQ(histogram.sum_squares(), 18);
}

TEST(StalenessHistogram, NumbersThatNobodyHadHaveAnEmptyBucket) {
  const tensorboard::Histogram histogram = StalenessHistogram({0, 5});
  EXPECT_THAT(histogram.bucket_limit(), ElementsAre(0.5, 4.5, 5.5));
  EXPECT_THAT(histogram.bucket(), ElementsAre(1, 0, 1));
}

TEST(StalenessHistogram, LargeNumbersShareABucket) {
  const tensorboard::Histogram histogram = StalenessHistogram({1000, 1001});
  ASSERT_EQ(histogram.bucket_size(), 1);
  EXPECT_EQ(histogram.bucket(0), 2);
  EXPECT_GT(histogram.bucket_limit(0), 1001);
}

TEST(StalenessHistogram, OfNothingIsEmpty) {
  EXPECT_THAT(StalenessHistogram({}).bucket(), IsEmpty());
}

}  // namespace
}  // namespace conadv
