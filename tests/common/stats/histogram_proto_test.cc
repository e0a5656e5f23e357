// SPDX-License-Identifier: Apache-2.0
#include "common/stats/histogram_proto.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <string>

#include "common/base/random.h"

namespace conadv {
namespace {

using ::google::protobuf::util::MessageDifferencer;
using ::testing::HasSubstr;

TEST(HistogramProto, SurvivesTheWire) {
  Random random(3, Purpose::kPermutation);
  Histogram histogram;
  for (int i = 0; i < 1000; ++i) histogram.Add(random.Next64() >> (i % 64));
  const v1::Histogram proto = ToProto(histogram);
  const absl::StatusOr<Histogram> again = FromProto(proto);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(ToProto(*again), proto));
}

TEST(HistogramProto, OfSaturatedTotalsSurvivesTheWire) {
  Histogram histogram;
  histogram.Add(UINT64_MAX, UINT64_MAX);
  histogram.Add(1, UINT64_MAX);
  const v1::Histogram proto = ToProto(histogram);
  const absl::StatusOr<Histogram> again = FromProto(proto);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_TRUE(MessageDifferencer::Equals(ToProto(*again), proto));
}

TEST(HistogramProto, OfNothingIsTheDefaultMessage) {
  EXPECT_TRUE(MessageDifferencer::Equals(ToProto(Histogram()), v1::Histogram()));
  EXPECT_TRUE(FromProto(v1::Histogram()).ok());
}

TEST(HistogramProto, HasTheQuantiles) {
  Histogram histogram;
  for (uint64_t value = 1; value <= 50; ++value) histogram.Add(value);
  const v1::Histogram proto = ToProto(histogram);
  EXPECT_EQ(proto.p50(), 25);
  EXPECT_EQ(proto.p90(), 45);
  EXPECT_EQ(proto.p99(), 50);
}

TEST(HistogramProto, FromAPeerIsRefusedIfItsCountIsNotItsBuckets) {
  Histogram histogram;
  histogram.Add(5, 2);
  v1::Histogram proto = ToProto(histogram);
  proto.set_count(3);
  const absl::Status status = FromProto(proto).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("count 3 is not the sum of its buckets, 2"));
}

// Any number in a message may be any other: the answer is a histogram that can be used, or a
// status.
TEST(HistogramProto, FromAPeerNeverDoesHarm) {
  Random random(4, Purpose::kPermutation);
  const auto any = [&random] { return random.Next64() >> random.Below(64); };
  Histogram merged;
  int taken = 0;
  for (int i = 0; i < 5000; ++i) {
    Histogram histogram;
    for (uint64_t n = random.Below(4) + 1; n > 0; --n) histogram.Add(any(), any() | 1);
    v1::Histogram proto = ToProto(histogram);
    v1::Histogram::Bucket& bucket = *proto.mutable_buckets(0);
    switch (random.Below(7)) {
      case 0: bucket.set_low(any()); break;
      case 1: bucket.set_high(any()); break;
      case 2: bucket.set_count(any()); break;
      case 3: proto.set_count(any()); break;
      case 4: proto.set_sum(any()); break;
      case 5: proto.set_min(any()); break;
      case 6: proto.set_max(any()); break;
    }
    const absl::StatusOr<Histogram> read = FromProto(proto);
    if (!read.ok()) continue;
    ++taken;
    merged.Merge(*read);
    ASSERT_TRUE(FromProto(ToProto(merged)).ok()) << FromProto(ToProto(merged)).status();
  }
  EXPECT_GT(taken, 0);
  EXPECT_LT(taken, 5000);
}

}  // namespace
}  // namespace conadv
