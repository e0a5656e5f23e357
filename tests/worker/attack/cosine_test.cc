// SPDX-License-Identifier: Apache-2.0
// What an attack's staleness does to its direction.
#include "worker/attack/cosine.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

#include "tests/worker/attack/linear.h"
#include "worker/attack/attack.h"

namespace conadv {
namespace {

torch::Tensor Rows(std::vector<float> values) {
  const auto rows = static_cast<int64_t>(values.size() / 2);
  return torch::tensor(values).view({rows, 1, 1, 2});
}

TEST(MeanCosine, IsTheMeanOverTheExamplesWhateverTheirGradientsLengths) {
  const torch::Tensor a = Rows({3, 4, 1, 0, 0, 2});
  EXPECT_FLOAT_EQ(*MeanCosine(a, 1000 * a), 1);
  EXPECT_FLOAT_EQ(*MeanCosine(a, -a), -1);
  EXPECT_FLOAT_EQ(*MeanCosine(a, Rows({4, 3, 0, 1, 0, 1})), (0.96F + 0 + 1) / 3);
}

TEST(MeanCosine, GradientsWhoseSquaresVanishHaveADirection) {
  const torch::Tensor a = Rows({3e-30F, 4e-30F});
  EXPECT_FLOAT_EQ(*MeanCosine(a, Rows({4e-30F, 3e-30F})), 0.96F);
}

TEST(MeanCosine, AnExampleWithoutAGradientIsLeftOutAndWithoutAnyThereIsNone) {
  EXPECT_FLOAT_EQ(*MeanCosine(Rows({0, 0, 1, 0, 1, 0}), Rows({1, 0, 1, 0, 0, 0})), 1);
  EXPECT_FALSE(MeanCosine(Rows({0, 0}), Rows({1, 0})).has_value());
  EXPECT_FALSE(MeanCosine(Rows({}), Rows({})).has_value());
}

TEST(MeanCosine, OfGradientsThatAreNotFiniteThereIsNone) {
  for (const float lost :
       {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    EXPECT_FALSE(MeanCosine(Rows({1, lost, 1, 0}), Rows({1, 0, 1, 0})).has_value());
  }
}

TEST(AttackBeginning, ComparesTheSameStartAndGoalsUnderOtherWeights) {
  const std::vector<float> stale = {3, -4, 0, 12};
  const std::vector<float> fresh = {4, 3, 12, 0};
  Replica attacked = TwoClasses(stale);
  Replica updated = TwoClasses(fresh);
  AttackOptions options;
  options.step = AttackStep::kSign;
  options.step_size = options.epsilon = 0.1F;
  options.steps = 3;
  options.random_start = 1;
  options.targeted = true;
  const AttackSeed seed{5, {Step(7), Slot(1)}};
  const torch::Tensor images = torch::cat({Flat(0.4F), Flat(0.6F)});
  const torch::Tensor labels = torch::tensor({0, 1}, torch::kInt64);
  AttackBeginning beginning;
  const torch::Tensor with =
      MakeAdversarial(attacked, images, labels, 2, options, 0, seed, &beginning);
  EXPECT_TRUE(torch::equal(with, MakeAdversarial(attacked, images, labels, 2, options, 0, seed)));
  EXPECT_TRUE(torch::equal(beginning.images, AttackStart(images, options, seed, TestDevice())));
  EXPECT_FALSE(torch::equal(beginning.images, images));
  EXPECT_TRUE(torch::equal(beginning.goals, 1 - labels)) << "the other class";
  const torch::Tensor again = ImageGradient(attacked, beginning.images, beginning.goals, 0);
  EXPECT_TRUE(torch::equal(again, beginning.gradient));
  // Each gradient is a multiple of the classes' difference: of one sign under both, in one example.
  const torch::Tensor other = ImageGradient(updated, beginning.images, beginning.goals, 0);
  EXPECT_NEAR(*MeanCosine(beginning.gradient, other), 0, 1e-6);
  Replica opposite = TwoClasses({-3, 4, 0, -12});
  const torch::Tensor against = ImageGradient(opposite, beginning.images, beginning.goals, 0);
  EXPECT_FLOAT_EQ(*MeanCosine(beginning.gradient, against), -1);
}

}  // namespace
}  // namespace conadv
