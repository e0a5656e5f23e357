// SPDX-License-Identifier: Apache-2.0
#include "worker/attack/attack.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/worker/attack/linear.h"
#include "tests/worker/device/copying_device.h"

namespace conadv {
namespace {

const std::vector<float> kDifference = {3, -4, 0, 12};  // of length 13

AttackOptions Options(AttackStep step, float step_size, float epsilon = 0, uint32_t steps = 1) {
  AttackOptions options;
  options.step = step;
  options.step_size = step_size;
  options.epsilon = epsilon;
  options.steps = steps;
  return options;
}

torch::Tensor Attack(Replica& replica, const torch::Tensor& images, const torch::Tensor& labels,
                     const AttackOptions& options, float label_smoothing = 0) {
  return MakeAdversarial(replica, images, labels, 2, options, label_smoothing, AttackSeed());
}

torch::Tensor Row(const std::vector<float>& values) {
  return torch::tensor(values).view({1, 1, 2, 2});
}

void ExpectClose(const torch::Tensor& actual, const torch::Tensor& expected) {
  EXPECT_TRUE(torch::allclose(actual, expected, 1e-5, 1e-6)) << actual << expected;
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

TEST(AttackTest, SignMovesEveryPixelWithAGradientByTheStep) {
  Replica replica = TwoClasses(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kSign, 0.1F)),
              Row({0.6F, 0.4F, 0.5F, 0.6F}));
  ExpectClose(Attack(replica, Flat(0.5), Label(1), Options(AttackStep::kSign, 0.1F)),
              Row({0.4F, 0.6F, 0.5F, 0.4F}));
}

TEST(AttackTest, L2MovesByTheStepAlongTheGradient) {
  Replica replica = TwoClasses(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kL2, 0.26F)),
              Row({0.56F, 0.42F, 0.5F, 0.74F}));
}

TEST(AttackTest, L2KeepsTheDirectionOfGradientsWhoseSquaresVanish) {
  std::vector<float> tiny = kDifference;
  for (float& value : tiny) value *= 1e-30F;
  Replica replica = TwoClasses(tiny);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kL2, 0.26F)),
              Row({0.56F, 0.42F, 0.5F, 0.74F}));
}

TEST(AttackTest, RawMovesByTheStepTimesTheGradient) {
  Replica replica = TwoClasses(kDifference);
  const auto p1 = static_cast<float>(Sigmoid(0.5 * (3 - 4 + 12)));
  const torch::Tensor step = 0.01F * p1 * Row(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kRaw, 0.01F)), 0.5 + step);
}

TEST(AttackTest, LabelSmoothingIsPartOfTheLoss) {
  Replica replica = TwoClasses(kDifference);
  const auto p1 = static_cast<float>(Sigmoid(0.5 * (3 - 4 + 12)));
  const torch::Tensor step = 0.01F * (p1 - 0.1F) * Row(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kRaw, 0.01F), 0.2F),
              0.5 + step);
}

TEST(AttackTest, EachExampleMovesByItsOwnLossWhateverElseIsInTheBatch) {
  Replica replica = TwoClasses(kDifference);
  const torch::Tensor images = torch::cat({Flat(0.2F), Flat(0.5F), Flat(0.4F)});
  const torch::Tensor labels = torch::tensor({0, 1, 0}, torch::kInt64);
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2, AttackStep::kRaw}) {
    const AttackOptions options = Options(step, 0.01F, 0.02F, 2);
    const torch::Tensor together = Attack(replica, images, labels, options);
    for (int64_t i = 0; i < 3; ++i) {
      ExpectClose(together.slice(0, i, i + 1),
                  Attack(replica, images.slice(0, i, i + 1), labels.slice(0, i, i + 1), options));
    }
  }
}

TEST(AttackTest, WithoutAGradientNothingMoves) {
  Replica replica = TwoClasses({0, 0, 0, 0});
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2, AttackStep::kRaw}) {
    EXPECT_TRUE(
        SameBits(Attack(replica, Flat(0.5), Label(0), Options(step, 0.1F, 0.2F, 3)), Flat(0.5)));
  }
}

TEST(AttackTest, SignIsProjectedToTheBox) {
  Replica replica = TwoClasses(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kSign, 0.1F, 0.15F, 5)),
              Row({0.65F, 0.35F, 0.5F, 0.65F}));
}

TEST(AttackTest, L2IsProjectedToTheBall) {
  Replica replica = TwoClasses(kDifference);
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kL2, 0.2F, 0.26F, 5)),
              Row({0.56F, 0.42F, 0.5F, 0.74F}));
}

TEST(AttackTest, RawHasNoBall) {
  Replica replica = TwoClasses({1, 0, 0, 0});
  const torch::Tensor free = Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kRaw, 0.3F));
  EXPECT_TRUE(SameBits(
      free, Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kRaw, 0.3F, 0.001F))));
  EXPECT_FALSE(SameBits(free, Flat(0.5)));
}

TEST(AttackTest, NothingLeavesTheDataRange) {
  Replica replica = TwoClasses(kDifference);
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2, AttackStep::kRaw}) {
    for (const float epsilon : {0.0F, 3.0F}) {
      for (const float value : {0.0F, 1.0F}) {
        const torch::Tensor result =
            Attack(replica, Flat(value), Label(0), Options(step, 2.0F, epsilon, 2));
        EXPECT_GE(result.min().item<float>(), 0);
        EXPECT_LE(result.max().item<float>(), 1);
      }
    }
  }
}

TEST(AttackTest, TwoStepsAreOneStepTwice) {
  Replica replica = TwoClasses(kDifference);
  const AttackOptions one = Options(AttackStep::kRaw, 0.01F);
  const torch::Tensor twice =
      Attack(replica, Attack(replica, Flat(0.3F), Label(0), one), Label(0), one);
  EXPECT_TRUE(SameBits(
      Attack(replica, Flat(0.3F), Label(0), Options(AttackStep::kRaw, 0.01F, 0, 2)), twice));
}

TEST(AttackTest, TheResultHasNoHistoryAndTheImagesAreUntouched) {
  Replica replica = TwoClasses(kDifference);
  const torch::Tensor images = Flat(0.5);
  const torch::Tensor result = Attack(replica, images, Label(0), Options(AttackStep::kSign, 0.1F));
  EXPECT_FALSE(result.requires_grad());
  EXPECT_FALSE(result.is_alias_of(images));
  EXPECT_TRUE(SameBits(images, Flat(0.5)));
  EXPECT_FALSE(images.requires_grad());
}

TEST(AttackTest, WorksWhereGradientsAreOff) {
  Replica replica = TwoClasses(kDifference);
  torch::NoGradGuard no_grad;
  ExpectClose(Attack(replica, Flat(0.5), Label(0), Options(AttackStep::kSign, 0.1F)),
              Row({0.6F, 0.4F, 0.5F, 0.6F}));
}

TEST(AttackTest, IsTheSameBitsOnADeviceThatCopiesEverything) {
  auto factory = SmallFactory("convnet");
  auto network = factory();
  auto layout = LayoutOf(*network, true);
  const auto weights = InitialWeights(*network, *layout);
  const Examples examples = RandomExamples(16);
  CopyingDevice copying;
  Replica here(factory(), layout, Pass::kAttack, &TestDevice());
  Replica there(factory(), layout, Pass::kAttack, &copying);
  for (Replica* replica : {&here, &there}) replica->BindWeights(weights);
  for (const AttackStep step : {AttackStep::kSign, AttackStep::kL2, AttackStep::kRaw}) {
    AttackOptions options = Options(step, 0.01F, 0.03F, 2);
    options.random_start = 0.8F;
    options.targeted = true;
    const auto attack = [&](Replica& replica) {
      return MakeAdversarial(replica, examples.images, examples.labels, kSmallImages.classes,
                             options, 0.1F, {5, {Step(2), Slot(3)}});
    };
    EXPECT_TRUE(SameBits(attack(there), attack(here)));
  }
}

TEST(AttackTest, RaisesTheLossOfADeepModel) {
  auto factory = SmallFactory("convnet");
  auto network = factory();
  auto layout = LayoutOf(*network, true);
  Replica replica(factory(), layout, Pass::kAttack, &TestDevice());
  replica.BindWeights(InitialWeights(*network, *layout));
  const Examples examples = RandomExamples(32);
  const auto loss = [&](const torch::Tensor& images) {
    return torch::nn::functional::cross_entropy(replica.Forward(images), examples.labels)
        .item<float>();
  };
  const torch::Tensor adversarial =
      MakeAdversarial(replica, examples.images, examples.labels, kSmallImages.classes,
                      Options(AttackStep::kSign, 0.01F, 0.03F, 5), 0, AttackSeed());
  EXPECT_GT(loss(adversarial), loss(examples.images) + 0.05);
  EXPECT_LE((adversarial - examples.images).abs().max().item<float>(), 0.03F + 1e-6F);
}

}  // namespace
}  // namespace conadv
