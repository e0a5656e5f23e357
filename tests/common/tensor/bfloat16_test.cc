// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/bfloat16.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "common/base/random.h"

namespace conadv {
namespace {

float Upper(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  bits &= 0xffff0000;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// As whoever receives them reads them.
std::vector<float> Packed(const std::vector<float>& values) {
  std::vector<uint16_t> packed(values.size());
  PackBfloat16(values, packed.data());
  std::vector<float> read;
  for (const uint16_t upper : packed) {
    const uint32_t bits = uint32_t{upper} << 16;
    float value;
    std::memcpy(&value, &bits, sizeof(value));
    read.push_back(value);
  }
  return read;
}

std::vector<float> SomeValues(size_t size) {
  Random random(1, Purpose::kInitialWeights);
  std::vector<float> values(size);
  for (float& value : values) value = random.NextGaussian();
  return values;
}

TEST(Bfloat16, RoundsToTheNearestAndToTheEvenOneOfTwo) {
  // 1 and the next bfloat16 are 2^-7 apart.
  const std::vector<float> from = {1.0F,
                                   1.0F + 0x1p-9F,
                                   1.0F + 0x1p-8F,      // half-way: 1 is even
                                   1.0F + 3 * 0x1p-8F,  // half-way: 1 + 2^-6 is even
                                   1.0F + 0x1p-8F + 0x1p-20F,
                                   -1.0F - 0x1p-8F - 0x1p-20F,
                                   0.0F,
                                   std::numeric_limits<float>::infinity()};
  const std::vector<float> expected = {1.0F,           1.0F,
                                       1.0F,           1.0F + 0x1p-6F,
                                       1.0F + 0x1p-7F, -1.0F - 0x1p-7F,
                                       0.0F,           std::numeric_limits<float>::infinity()};
  EXPECT_EQ(Packed(from), expected);
  EXPECT_TRUE(std::isnan(Packed({std::numeric_limits<float>::quiet_NaN()})[0]));
}

TEST(Bfloat16, PackedAValueKeepsEightBits) {
  const std::vector<float> values = SomeValues(100);
  const std::vector<float> packed = Packed(values);
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_EQ(packed[i], Upper(packed[i]));
    EXPECT_NEAR(packed[i], values[i], std::abs(values[i]) * 0x1p-8F);
  }
}

TEST(Bfloat16, RoundedByChanceAValueIsANeighbourAndTheMeanIsTheValueItself) {
  for (const float value : {0.3F, -1.7e-5F, 1234.5F}) {
    std::vector<float> values(100'000, value);
    RoundByChance(42, absl::MakeSpan(values));
    const float below = Upper(value);
    const float above =
        below + (value - below > 0 ? 1 : -1) * std::ldexp(1.0F, std::ilogb(value) - 7);
    double sum = 0;
    for (const float rounded : values) {
      ASSERT_TRUE(rounded == below || rounded == above) << rounded << " of " << value;
      sum += rounded;
    }
    // Five standard deviations of the mean of so many.
    const double tolerance = 5 * std::abs(above - below) / 2 / std::sqrt(values.size());
    EXPECT_NEAR(sum / static_cast<double>(values.size()), value, tolerance);
  }
}

TEST(Bfloat16, ChanceIsAFunctionOfTheKeyAndThePlace) {
  const std::vector<float> values = SomeValues(1000);
  std::vector<float> once = values, again = values, other = values;
  RoundByChance(1, absl::MakeSpan(once));
  RoundByChance(1, absl::MakeSpan(again));
  RoundByChance(2, absl::MakeSpan(other));
  EXPECT_EQ(once, again);
  EXPECT_NE(once, other);
}

TEST(Bfloat16, WhatIsOneAlreadyStaysAndWhatIsNotFiniteToo) {
  std::vector<float> values = {0.0F, -0.0F, 0.5F, -3.0F, std::numeric_limits<float>::infinity()};
  const std::vector<float> before = values;
  RoundByChance(7, absl::MakeSpan(values));
  EXPECT_EQ(values, before);
  float nan = std::numeric_limits<float>::quiet_NaN();
  RoundByChance(7, {&nan, 1});
  EXPECT_TRUE(std::isnan(nan));
}

}  // namespace
}  // namespace conadv
