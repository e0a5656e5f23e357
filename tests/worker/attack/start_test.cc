// SPDX-License-Identifier: Apache-2.0
#include "worker/attack/start.h"

#include <gtest/gtest.h>

#include "tests/worker/attack/linear.h"

namespace conadv {
namespace {

AttackOptions Start(AttackStep step, float probability, float epsilon = 0.1F) {
  AttackOptions options;
  options.step = step;
  options.epsilon = epsilon;
  options.step_size = 0.02F;
  options.steps = 1;
  options.random_start = probability;
  return options;
}

AttackSeed Seed(uint64_t seed, uint64_t step, uint64_t slot) {
  return {seed, {Step(step), Slot(slot)}};
}

constexpr int64_t kMany = 2000;

torch::Tensor Offsets(torch::IntArrayRef shape, const AttackOptions& options,
                      const AttackSeed& seed) {
  return RandomOffsets(shape, options, seed, TestDevice());
}

torch::Tensor Wrong(const torch::Tensor& labels, int64_t classes, const AttackSeed& seed) {
  return WrongClasses(labels, classes, seed, TestDevice());
}

torch::Tensor Norms(const torch::Tensor& offsets) { return offsets.flatten(1).norm(2, 1); }

TEST(RandomOffsetsTest, SignDrawsUniformlyFromTheBox) {
  const torch::Tensor offsets =
      Offsets({kMany, 1, 2, 2}, Start(AttackStep::kSign, 1), Seed(1, 2, 3));
  EXPECT_LE(offsets.abs().max().item<float>(), 0.1F);
  EXPECT_NEAR(offsets.mean().item<float>(), 0, 0.005);
  EXPECT_NEAR(offsets.var().item<float>(), 0.1 * 0.1 / 3, 0.0003);
}

TEST(RandomOffsetsTest, L2DrawsUniformlyFromTheBall) {
  const torch::Tensor offsets = Offsets({kMany, 1, 1, 2}, Start(AttackStep::kL2, 1), Seed(1, 2, 3));
  const torch::Tensor norms = Norms(offsets);
  EXPECT_LE(norms.max().item<float>(), 0.1F + 1e-7F);
  // In two dimensions a quarter of the disc lies within half of the radius, and a quarter in each
  // quadrant.
  EXPECT_NEAR(norms.lt(0.05).to(torch::kFloat32).mean().item<float>(), 0.25, 0.04);
  EXPECT_NEAR(offsets.flatten(1).gt(0).all(1).to(torch::kFloat32).mean().item<float>(), 0.25, 0.04);
}

TEST(RandomOffsetsTest, HappensWithItsProbabilityPerExample) {
  const torch::Tensor moved =
      Norms(Offsets({kMany, 1, 2, 2}, Start(AttackStep::kSign, 0.8F), Seed(1, 2, 3))).gt(0);
  EXPECT_NEAR(moved.to(torch::kFloat32).mean().item<float>(), 0.8, 0.04);
  EXPECT_FALSE(
      Offsets({kMany, 1, 2, 2}, Start(AttackStep::kSign, 0), Seed(1, 2, 3)).any().item<bool>());
}

TEST(RandomOffsetsTest, WithoutABallThereIsNothingToDrawFrom) {
  EXPECT_FALSE(Offsets({9, 1, 2, 2}, Start(AttackStep::kRaw, 1), Seed(1, 2, 3)).any().item<bool>());
  EXPECT_FALSE(
      Offsets({9, 1, 2, 2}, Start(AttackStep::kSign, 1, 0), Seed(1, 2, 3)).any().item<bool>());
}

TEST(RandomOffsetsTest, IsAFunctionOfSeedStepAndSlotAlone) {
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2}) {
    const auto draw = [&](const AttackSeed& seed) {
      return Offsets({4, 1, 2, 2}, Start(step, 1), seed);
    };
    const torch::Tensor offsets = draw(Seed(1, 2, 3));
    torch::manual_seed(5);
    EXPECT_TRUE(SameBits(draw(Seed(1, 2, 3)), offsets));
    EXPECT_FALSE(SameBits(draw(Seed(9, 2, 3)), offsets));
    EXPECT_FALSE(SameBits(draw(Seed(1, 9, 3)), offsets));
    EXPECT_FALSE(SameBits(draw(Seed(1, 2, 9)), offsets));
  }
}

TEST(RandomStartTest, NoiseMayBeWiderThanAStepThatNoBallBinds) {
  AttackOptions options = Start(AttackStep::kSign, 1, 0);
  options.start_radius = 0.2F;
  options.step_size = 0.1F;
  Replica replica = TwoClasses({3, -4, 0, 12});
  const torch::Tensor images = Flat(0.5, 100);
  const torch::Tensor start = AttackStart(images, options, Seed(1, 2, 3), TestDevice());
  EXPECT_GT((start - images).abs().max().item<float>(), 0.19F);
  EXPECT_LE((start - images).abs().max().item<float>(), 0.2F);
  const torch::Tensor moved =
      MakeAdversarial(replica, images, Label(0, 100), 2, options, 0, Seed(1, 2, 3));
  const torch::Tensor step = (moved - start).abs();
  EXPECT_TRUE(torch::all((step - 0.1F).abs().lt(1e-6).logical_or(step.lt(1e-6))).item<bool>());
  EXPECT_GT((moved - images).abs().max().item<float>(), 0.28F);
}

TEST(RandomStartTest, TheAttackStaysInTheBallAroundTheImage) {
  Replica replica = TwoClasses({3, -4, 0, 12});
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2}) {
    const torch::Tensor moved = MakeAdversarial(replica, Flat(0.5, 100), Label(0, 100), 2,
                                                Start(step, 1), 0, Seed(1, 2, 3)) -
                                0.5;
    const torch::Tensor radius = step == AttackStep::kSign ? moved.abs().max() : Norms(moved).max();
    EXPECT_LE(radius.item<float>(), 0.1F + 1e-6F);
    EXPECT_GT(moved.flatten(1).std(0).max().item<float>(), 0.01) << "all started alike";
  }
}

TEST(WrongClassesTest, NeverTheRightOneAndEveryOtherEquallyOften) {
  const torch::Tensor targets = Wrong(Label(2, kMany), 5, Seed(1, 2, 3));
  const torch::Tensor counts = targets.bincount({}, 5);
  EXPECT_EQ(counts[2].item<int64_t>(), 0);
  for (const int64_t other : {0, 1, 3, 4}) {
    EXPECT_NEAR(counts[other].item<float>() / kMany, 0.25, 0.04);
  }
}

TEST(WrongClassesTest, AreAFunctionOfSeedStepAndSlotAlone) {
  const auto draw = [](const AttackSeed& seed) { return Wrong(Label(0, 50), 10, seed); };
  const torch::Tensor targets = draw(Seed(1, 2, 3));
  EXPECT_TRUE(SameBits(draw(Seed(1, 2, 3)), targets));
  EXPECT_FALSE(SameBits(draw(Seed(9, 2, 3)), targets));
  EXPECT_FALSE(SameBits(draw(Seed(1, 9, 3)), targets));
  EXPECT_FALSE(SameBits(draw(Seed(1, 2, 9)), targets));
}

TEST(WrongClassesTest, OfOneClassIsThatClass) {
  EXPECT_TRUE(SameBits(Wrong(Label(0, 3), 1, Seed(1, 2, 3)), Label(0, 3)));
}

TEST(TargetedTest, StepsDownTheLossOfTheWrongClass) {
  torch::manual_seed(3);
  Replica replica = LinearReplica(torch::randn({5, 4}));
  const torch::Tensor images = Flat(0.5, 40);
  const torch::Tensor labels = Label(2, 40);
  const torch::Tensor targets = Wrong(labels, 5, Seed(1, 2, 3));
  AttackOptions options = Start(AttackStep::kSign, 0);
  options.targeted = true;
  const torch::Tensor adversarial =
      MakeAdversarial(replica, images, labels, 5, options, 0, Seed(1, 2, 3));
  const auto loss = [&](const torch::Tensor& x) {
    return torch::nn::functional::cross_entropy(
        replica.Forward(x), targets,
        torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  };
  EXPECT_TRUE(loss(adversarial).lt(loss(images)).all().item<bool>());
}

}  // namespace
}  // namespace conadv
