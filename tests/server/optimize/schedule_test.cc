// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/schedule.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::FloatEq;
using ::testing::Pointwise;

std::vector<float> Rates(const ScheduleOptions& options, uint64_t steps) {
  std::vector<float> rates;
  for (uint64_t step = 0; step < steps; ++step) rates.push_back(Rate(options, step, steps));
  return rates;
}

#define EXPECT_RATES(options, ...)                                                \
  do {                                                                            \
    const std::vector<float> expected = {__VA_ARGS__};                            \
    EXPECT_THAT(Rates(options, expected.size()), Pointwise(FloatEq(), expected)); \
  } while (false)

TEST(ScheduleTest, ConstantIsThePeak) {
  EXPECT_RATES((ScheduleOptions{0.5F, 0, ConstantDecay{}}), 0.5F, 0.5F, 0.5F);
}

TEST(ScheduleTest, PolyFallsAsAPowerOfWhatIsLeft) {
  EXPECT_RATES((ScheduleOptions{2, 0, PolyDecay{2}}), 2 * 1.0F, 2 * 0.5625F, 2 * 0.25F,
               2 * 0.0625F);
  EXPECT_RATES((ScheduleOptions{2, 0, PolyDecay{1}}), 2, 1.5F, 1, 0.5F);
}

TEST(ScheduleTest, CosineFallsFromPeakThroughHalf) {
  EXPECT_RATES((ScheduleOptions{2, 0, CosineDecay{}}), 2, 1.70710678F, 1, 0.29289322F);
}

TEST(ScheduleTest, StepsFallAtTheirMilestones) {
  EXPECT_RATES((ScheduleOptions{1, 0, StepDecay{{0.3, 0.6, 0.95}, 0.1F}}), 1, 1, 1, 0.1F, 0.1F,
               0.1F, 0.01F, 0.01F, 0.01F, 0.01F);
  EXPECT_RATES((ScheduleOptions{1, 0, StepDecay{{}, 0.1F}}), 1, 1);
}

TEST(ScheduleTest, WarmUpClimbsToThePeakAndTheDecayBeginsThere) {
  EXPECT_RATES((ScheduleOptions{1, 0.5, ConstantDecay{}}), 0.25F, 0.5F, 0.75F, 1, 1, 1, 1, 1);
  EXPECT_RATES((ScheduleOptions{1, 0.5, PolyDecay{1}}), 0.25F, 0.5F, 0.75F, 1, 1, 0.75F, 0.5F,
               0.25F);
  EXPECT_RATES((ScheduleOptions{1, 0.5, CosineDecay{}}), 0.5F, 1, 1, 0.5F);
  // Milestones are fractions of the run, warm-up included.
  EXPECT_RATES((ScheduleOptions{1, 0.25, StepDecay{{0.5}, 0.1F}}), 1, 1, 0.1F, 0.1F);
}

TEST(ScheduleTest, WarmUpIsRoundedToWholeSteps) {
  EXPECT_RATES((ScheduleOptions{1, 0.3, ConstantDecay{}}), 1, 1, 1, 1);          // 1.2 steps
  EXPECT_RATES((ScheduleOptions{1, 0.4, ConstantDecay{}}), 0.5F, 1, 1, 1);       // 1.6 steps
  EXPECT_RATES((ScheduleOptions{1, 0.1, PolyDecay{1}}), 1, 0.75F, 0.5F, 0.25F);  // none
}

TEST(ScheduleTest, WarmUpMayTakeTheWholeRun) {
  EXPECT_RATES((ScheduleOptions{1, 1, PolyDecay{2}}), 0.25F, 0.5F, 0.75F, 1);
  EXPECT_RATES((ScheduleOptions{1, 1, CosineDecay{}}), 1);
}

}  // namespace
}  // namespace conadv
