// SPDX-License-Identifier: Apache-2.0
#include "server/snapshot/average.h"

#include <gtest/gtest.h>

#include "common/base/random.h"
#include "common/tensor/arena.h"

namespace conadv {
namespace {

TEST(Average, DecayRisesToItsValueWithWarmUp) {
  const AverageOptions options{0.5F, true};
  EXPECT_FLOAT_EQ(AverageDecay(options, Version(1)), 2.0F / 11);
  EXPECT_FLOAT_EQ(AverageDecay(options, Version(5)), 6.0F / 15);
  EXPECT_EQ(AverageDecay(options, Version(8)), 0.5F);
  EXPECT_EQ(AverageDecay(options, Version(1'000'000)), 0.5F);
  EXPECT_EQ(AverageDecay({0.5F, false}, Version(1)), 0.5F);
}

TEST(Average, IsTheFormulaInEveryElement) {
  constexpr size_t kSize = 16 * 37;
  Arena average(kSize), weights(kSize), next(kSize);
  Random random(1, Purpose::kInitialWeights, 0, 0);
  for (size_t i = 0; i < kSize; ++i) {
    average.data()[i] = random.NextGaussian();
    weights.data()[i] = random.NextGaussian();
  }
  MoveAverage(0.9F, average.data(), weights.data(), kSize, next.data());
  for (size_t i = 0; i < kSize; ++i) {
    const double expected = 0.9 * average.data()[i] + 0.1 * weights.data()[i];
    ASSERT_NEAR(next.data()[i], expected, 1e-6) << i;
  }
}

TEST(Average, OfWeightsThatStayIsTheWeightsBitForBit) {
  Arena weights(16), next(16);
  for (size_t i = 0; i < 16; ++i) weights.data()[i] = 1.1F * static_cast<float>(i);
  MoveAverage(0.7F, weights.data(), weights.data(), 16, next.data());
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(next.data()[i], weights.data()[i]);
}

}  // namespace
}  // namespace conadv
