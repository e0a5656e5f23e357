// SPDX-License-Identifier: Apache-2.0
#include "common/stats/histogram.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "common/base/random.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(Histogram, OfNothingIsZero) {
  const Histogram histogram;
  EXPECT_EQ(histogram.count(), 0);
  EXPECT_EQ(histogram.min(), 0);
  EXPECT_EQ(histogram.max(), 0);
  EXPECT_EQ(histogram.mean(), 0);
  EXPECT_EQ(histogram.Quantile(0.99), 0);
  EXPECT_TRUE(histogram.buckets().empty());
}

TEST(Histogram, IsExactBelow64) {
  Histogram histogram;
  for (uint64_t value = 0; value < 64; ++value) histogram.Add(value, value + 1);
  const auto buckets = histogram.buckets();
  ASSERT_EQ(buckets.size(), 64);
  for (uint64_t value = 0; value < 64; ++value) {
    EXPECT_EQ(buckets[value].low, value);
    EXPECT_EQ(buckets[value].high, value);
    EXPECT_EQ(buckets[value].count, value + 1);
  }
}

TEST(Histogram, IsWithinASixteenthAbove) {
  Random random(1, Purpose::kPermutation);
  for (int i = 0; i < 10000; ++i) {
    const uint64_t value = random.Next64() >> (i % 64);
    Histogram histogram;
    histogram.Add(value);
    ASSERT_EQ(histogram.buckets().size(), 1);
    const Histogram::Bucket bucket = histogram.buckets()[0];
    ASSERT_LE(bucket.low, value);
    ASSERT_GE(bucket.high, value);
    ASSERT_LE(bucket.high - bucket.low, bucket.low / 16);
  }
}

TEST(Histogram, LeavesNoGapBetweenBuckets) {
  Histogram histogram;
  for (int shift = 0; shift < 64; ++shift) {
    const uint64_t power = uint64_t{1} << shift;
    for (uint64_t part = 0; part < 16; ++part) histogram.Add(power + (power >> 4) * part);
  }
  const auto buckets = histogram.buckets();
  EXPECT_EQ(buckets.back().high, UINT64_MAX);
  for (size_t i = 1; i < buckets.size(); ++i) {
    if (buckets[i].low > 64) {
      EXPECT_EQ(buckets[i].low, buckets[i - 1].high + 1);
    }
  }
}

TEST(Histogram, QuantilesAreUpperBoundsOfTheTrueOnes) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 100; ++value) histogram.Add(value);
  EXPECT_EQ(histogram.Quantile(0), 1);
  EXPECT_EQ(histogram.Quantile(0.5), 50);
  EXPECT_EQ(histogram.Quantile(0.9), 91);  // of the bucket [88, 91]
  EXPECT_EQ(histogram.Quantile(0.99), 99);
  EXPECT_EQ(histogram.Quantile(1), 100);  // never above max
  EXPECT_EQ(histogram.sum(), 5050);
  EXPECT_EQ(histogram.mean(), 50.5);
  EXPECT_EQ(histogram.min(), 1);
  EXPECT_EQ(histogram.max(), 100);
}

TEST(Histogram, MergedIsAsIfAllHadBeenAddedToOne) {
  Histogram left;
  Histogram right;
  Histogram both;
  Random random(2, Purpose::kPermutation);
  for (int i = 0; i < 1000; ++i) {
    const uint64_t value = random.Below(uint64_t{1} << (i % 30));
    (i % 3 == 0 ? left : right).Add(value);
    both.Add(value);
  }
  left.Merge(right);
  left.Merge(Histogram());
  EXPECT_EQ(left.count(), both.count());
  EXPECT_EQ(left.sum(), both.sum());
  EXPECT_EQ(left.min(), both.min());
  EXPECT_EQ(left.max(), both.max());
  for (const double q : {0.0, 0.25, 0.5, 0.9, 1.0}) EXPECT_EQ(left.Quantile(q), both.Quantile(q));
}

TEST(Histogram, TotalsStopRatherThanWrap) {
  Histogram histogram;
  histogram.Add(UINT64_MAX, 3);
  histogram.Add(5, UINT64_MAX);
  histogram.Merge(histogram);
  EXPECT_EQ(histogram.count(), UINT64_MAX);
  EXPECT_EQ(histogram.sum(), UINT64_MAX);
  EXPECT_EQ(histogram.Quantile(0.5), 5);
}

struct Totals {
  uint64_t sum, min, max;
};

std::string ErrorOf(const std::vector<Histogram::Bucket>& buckets, Totals totals) {
  const auto histogram = Histogram::FromBuckets(buckets, totals.sum, totals.min, totals.max);
  EXPECT_EQ(histogram.status().code(), absl::StatusCode::kInvalidArgument);
  return std::string(histogram.status().message());
}

TEST(HistogramFromBuckets, RefusesWhatNoHistogramSays) {
  EXPECT_THAT(ErrorOf({{5, 4, 1}}, {5, 5, 5}), HasSubstr("bucket 0 [5, 4] ends before it begins"));
  EXPECT_THAT(ErrorOf({{5, 5, 0}}, {0, 0, 0}), HasSubstr("is empty"));
  EXPECT_THAT(ErrorOf({{64, 68, 1}}, {64, 64, 64}), HasSubstr("wider"));
  EXPECT_THAT(ErrorOf({{0, UINT64_MAX, 1}}, {1, 1, 1}), HasSubstr("wider"));
  EXPECT_THAT(ErrorOf({{5, 5, 1}, {5, 5, 1}}, {10, 5, 5}), HasSubstr("bucket 1 [5, 5] does not"));
  EXPECT_THAT(ErrorOf({{5, 5, 1}, {4, 4, 1}}, {9, 4, 5}), HasSubstr("does not rise"));
  EXPECT_THAT(ErrorOf({{5, 5, 1}}, {5, 4, 5}), HasSubstr("min 4 and max 5"));
  EXPECT_THAT(ErrorOf({{64, 67, 2}}, {130, 66, 65}), HasSubstr("min 66 and max 65"));
  EXPECT_THAT(ErrorOf({{5, 5, 2}}, {11, 5, 5}), HasSubstr("sum 11 is not"));
  EXPECT_THAT(ErrorOf({}, {1, 0, 0}), HasSubstr("without buckets"));
  EXPECT_THAT(ErrorOf(std::vector<Histogram::Bucket>(993, {5, 5, 1}), {5, 5, 5}),
              HasSubstr("993 buckets, at most 992"));
}

TEST(HistogramFromBuckets, TakesFinerBucketsThanItsOwn) {
  const std::vector<Histogram::Bucket> buckets = {{64, 64, 1}, {66, 67, 1}};
  const auto histogram = Histogram::FromBuckets(buckets, 131, 64, 67);
  ASSERT_TRUE(histogram.ok()) << histogram.status();
  EXPECT_EQ(histogram->count(), 2);
  EXPECT_EQ(histogram->buckets().size(), 1);
}

}  // namespace
}  // namespace conadv
