// SPDX-License-Identifier: Apache-2.0
// Passes that compute in bfloat16: that they do, that float32 is what leaves them, and that nothing
// of a pass is left for the next.
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "tests/worker/model/replicas.h"
#include "worker/attack/attack.h"
#include "worker/compute/gradients.h"

namespace conadv {
namespace {

constexpr ImageShape kImages{3, 8, 8, 3};

// A model's passes in either precision.
struct PassesOf {
  explicit PassesOf(const std::string& builtin)
      : factory(SmallFactory(builtin, 1, kImages)),
        network(factory()),
        layout(LayoutOf(*network, true)),
        weights(InitialWeights(*network, *layout)) {}

  Replica Make(Pass pass, Precision precision) {
    Replica replica(factory(), layout, pass, &TestDevice(), precision);
    replica.BindWeights(weights);
    return replica;
  }
  std::shared_ptr<Arena> Gradients(Replica& replica) {
    auto gradients = Filled(layout->total_size(), 0);
    ComputeGradients(replica, examples.images, examples.labels, 0.1F, gradients);
    return gradients;
  }
  torch::Tensor Attacked(Replica& replica, AttackStep step) {
    AttackOptions options;
    options.step = step;
    options.step_size = step == AttackStep::kRaw ? 1 : 0.01F;
    options.epsilon = 0.03F;
    options.steps = 2;
    return MakeAdversarial(replica, examples.images, examples.labels, kImages.classes, options, 0,
                           AttackSeed());
  }

  const NetworkFactory factory;
  const std::unique_ptr<Network> network;
  const std::shared_ptr<const Layout> layout;
  const std::shared_ptr<Arena> weights;
  const Examples examples = RandomExamples(16, 7, kImages);
};

class PrecisionTest : public testing::TestWithParam<std::string> {
 protected:
  PassesOf passes_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Models, PrecisionTest, testing::Values("mlp", "convnet", "resnet20"),
                         [](const auto& model) { return model.param; });

double Norm(const Arena& arena) {
  double squares = 0;
  for (const float value : arena.span()) squares += static_cast<double>(value) * value;
  return std::sqrt(squares);
}
double Distance(const Arena& a, const Arena& b) {
  double squares = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    const double difference = a.data()[i] - b.data()[i];
    squares += difference * difference;
  }
  return std::sqrt(squares);
}

TEST_P(PrecisionTest, Bf16GradientsAreOtherNumbersThanFloat32OnesAndNearThem) {
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial}) {
    Replica exact = passes_.Make(pass, Precision::kFp32);
    Replica fast = passes_.Make(pass, Precision::kBf16);
    const auto expected = passes_.Gradients(exact);
    const double error = Distance(*passes_.Gradients(fast), *expected) / Norm(*expected);
    EXPECT_GT(error, 1e-4) << "bfloat16 has 8 bits: it was not used";
    EXPECT_LT(error, 0.1);
  }
}

TEST_P(PrecisionTest, WhatLeavesABf16PassIsFloat32) {
  Replica replica = passes_.Make(Pass::kEvaluate, Precision::kBf16);
  EXPECT_EQ(replica.Forward(passes_.examples.images).scalar_type(), torch::kFloat32);
  Replica attack = passes_.Make(Pass::kAttack, Precision::kBf16);
  EXPECT_EQ(passes_.Attacked(attack, AttackStep::kSign).scalar_type(), torch::kFloat32);
}

TEST_P(PrecisionTest, ABf16AttackMovesByOtherGradientsNearTheFloat32Ones) {
  Replica exact = passes_.Make(Pass::kAttack, Precision::kFp32);
  Replica fast = passes_.Make(Pass::kAttack, Precision::kBf16);
  const torch::Tensor expected =
      passes_.Attacked(exact, AttackStep::kRaw) - passes_.examples.images;
  const torch::Tensor actual = passes_.Attacked(fast, AttackStep::kRaw) - passes_.examples.images;
  const float error = ((actual - expected).norm() / expected.norm()).item<float>();
  EXPECT_GT(error, 1e-4);
  EXPECT_LT(error, 0.1);
}

TEST_P(PrecisionTest, EqualBf16PassesGiveEqualBits) {
  Replica one = passes_.Make(Pass::kAdversarial, Precision::kBf16);
  Replica other = passes_.Make(Pass::kAdversarial, Precision::kBf16);
  const auto first = passes_.Gradients(one);
  EXPECT_TRUE(SameBits(*passes_.Gradients(one), *first));
  EXPECT_TRUE(SameBits(*passes_.Gradients(other), *first));
}

TEST_P(PrecisionTest, NoCastOfAVersionIsLeftForTheNext) {
  Replica fresh = passes_.Make(Pass::kClean, Precision::kBf16);
  const auto expected = passes_.Gradients(fresh);
  Replica replica(passes_.Make(Pass::kClean, Precision::kBf16));
  auto other = Copy(*passes_.weights);
  for (float& value : other->span()) value *= 0.5F;
  replica.BindWeights(other);
  EXPECT_FALSE(SameBits(*passes_.Gradients(replica), *expected));
  replica.BindWeights(passes_.weights);
  EXPECT_TRUE(SameBits(*passes_.Gradients(replica), *expected));
  // Nor where the values change in their place, as a recycled arena's do.
  for (float& value : passes_.weights->span()) value *= 0.5F;
  EXPECT_FALSE(SameBits(*passes_.Gradients(replica), *expected));
}

TEST_P(PrecisionTest, PrecisionsTakeTurnsInOneThreadWithoutATrace) {
  Replica exact = passes_.Make(Pass::kClean, Precision::kFp32);
  Replica fast = passes_.Make(Pass::kClean, Precision::kBf16);
  const auto fast_first = passes_.Gradients(fast);
  const auto exact_first = passes_.Gradients(exact);
  EXPECT_FALSE(SameBits(*fast_first, *exact_first));
  EXPECT_TRUE(SameBits(*passes_.Gradients(fast), *fast_first));
  EXPECT_TRUE(SameBits(*passes_.Gradients(exact), *exact_first));
  // What plain code computes beside them is float32, too.
  const torch::Tensor product = torch::mm(torch::ones({2, 2}), torch::ones({2, 2}));
  EXPECT_EQ(product.scalar_type(), torch::kFloat32);
}

}  // namespace
}  // namespace conadv
