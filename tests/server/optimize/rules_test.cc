// SPDX-License-Identifier: Apache-2.0
// Every rule, with every option of an update, against the scalar oracle.
#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "tests/server/optimize/scalar_optimizer.h"
#include "tests/server/optimize/shard_model.h"

namespace conadv {
namespace {

class RulesTest : public ::testing::TestWithParam<std::string> {
 protected:
  // Ten updates by both; `change` sets an option of each.
  template <class Change>
  static double ErrorAfterTenUpdates(OptimizerOptions options, const Change& change) {
    ShardModel model(EveryTensor(), 2, options);
    ScalarOptimizer scalar(options);
    std::map<std::string, std::vector<double>> expected;
    for (const auto& [name, values] : model.weights()) {
      expected[name].assign(values.begin(), values.end());
    }
    for (uint32_t step = 0; step < 10; ++step) {
      Gradients gradients = RandomGradients(model.tensors(), step);
      change(step, &gradients);
      model.Apply(gradients);
      scalar.Apply(model.tensors(), gradients, &expected);
    }
    EXPECT_TRUE(model.padding_is_zero());
    EXPECT_FALSE(model.reads_changed());
    return WorstError(model.weights(), expected);
  }

  static OptimizerOptions Rule() { return EveryRule().at(GetParam()); }
};

TEST_P(RulesTest, AgreesWithTheFormula) {
  EXPECT_LT(ErrorAfterTenUpdates(Rule(), [](uint32_t, Gradients*) {}), 1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaForOneStreamAlone) {
  EXPECT_LT(ErrorAfterTenUpdates(Rule(), [](uint32_t, Gradients* g) { g->has_clean = false; }),
            1e-6);
  EXPECT_LT(
      ErrorAfterTenUpdates(Rule(), [](uint32_t, Gradients* g) { g->has_adversarial = false; }),
      1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaForUnequalNumbersOfContributions) {
  EXPECT_LT(ErrorAfterTenUpdates(Rule(),
                                 [](uint32_t step, Gradients* g) {
                                   g->clean_contributions = 1 + step;
                                   g->adversarial_contributions = 3;
                                   g->clean_weight = 0.7F;
                                   g->rate = 0.05F / static_cast<float>(1 + step);
                                 }),
            1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaWhenDamped) {
  EXPECT_LT(ErrorAfterTenUpdates(
                Rule(), [](uint32_t step, Gradients* g) { g->step_scale = 1.0F / (1 + step); }),
            1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaWhenCompensated) {
  const Values used = RandomValues(EveryTensor(), 7, 0.5F);
  EXPECT_LT(ErrorAfterTenUpdates(Rule(),
                                 [&](uint32_t, Gradients* g) {
                                   g->used = used;
                                   g->compensation = 0.3F;
                                 }),
            1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaWhenClipped) {
  OptimizerOptions options = Rule();
  options.clip_norm = 8;  // between the small tensors' norms and the large ones'
  EXPECT_LT(ErrorAfterTenUpdates(options, [](uint32_t, Gradients*) {}), 1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaWhenClippedByTheNormOfAllTensors) {
  const Values used = RandomValues(EveryTensor(), 7, 0.5F);
  OptimizerOptions options = Rule();
  options.global_clip_norm = 8;
  EXPECT_LT(ErrorAfterTenUpdates(options,
                                 [&](uint32_t step, Gradients* g) {
                                   g->has_adversarial = step % 3 != 0;
                                   g->used = used;
                                   g->compensation = step % 2 == 0 ? 0.3F : 0;
                                 }),
            1e-6);
}

TEST_P(RulesTest, AgreesWithTheFormulaWhenTensorsHaveRulesOfTheirOwn) {
  for (const float global_clip_norm : {0.0F, 8.0F}) {
    OptimizerOptions options = Rule();
    options.global_clip_norm = global_clip_norm;
    options.tensors = {{"shared.weight", 0.0F, std::nullopt, false},
                       {"shared.bias", 0.2F, true, false},
                       {"linear.weight", 0.3F, false, false},
                       {"weight", std::nullopt, false, false},  // auxiliary.weight is its twin
                       {"main.weight", std::nullopt, std::nullopt, true}};
    EXPECT_LT(ErrorAfterTenUpdates(options, [](uint32_t, Gradients*) {}), 1e-6);
  }
}

TEST_P(RulesTest, StaysFiniteWhenWeightsAndGradientsAreZero) {
  const OptimizerOptions options = Rule();
  EXPECT_LT(ErrorAfterTenUpdates(options,
                                 [](uint32_t step, Gradients* g) {
                                   if (step > 2) return;
                                   g->clean = RandomValues(EveryTensor(), 0, 0);
                                   g->adversarial = g->clean;
                                 }),
            1e-6);
  ShardModel model(EveryTensor(), 1, options);
  for (auto& [name, values] : model.weights()) std::fill(values.begin(), values.end(), 0.0F);
  Gradients zero = RandomGradients(model.tensors(), 0);
  zero.clean = model.weights();
  zero.adversarial = model.weights();
  const Values before = model.weights();
  model.Apply(zero);
  EXPECT_EQ(model.weights(), before);
}

INSTANTIATE_TEST_SUITE_P(Rules, RulesTest, ::testing::ValuesIn(RuleNames()),
                         [](const auto& info) { return info.param; });

TEST(LarsTest, RatioIsOneForATensorOfZeroWeights) {
  const std::vector<TensorSpec> tensors = {{"w", {2}, TensorKind::kWeight, Branch::kShared, 0}};
  ShardModel model(tensors, 1, {LarsOptions{0.001F, 0, 0.1F}, 0, 0, {}, {}});
  model.weights()["w"] = {0, 0};
  Gradients gradients;
  gradients.clean["w"] = {4, -8};
  gradients.has_adversarial = false;
  gradients.rate = 0.5F;
  model.Apply(gradients);
  EXPECT_EQ(model.weights()["w"], (std::vector<float>{-0.5F, 1}));
}

TEST(LambTest, RatioIsOneForATensorOfZeroWeights) {
  const std::vector<TensorSpec> tensors = {{"w", {2}, TensorKind::kWeight, Branch::kShared, 0}};
  ShardModel model(tensors, 1, {LambOptions{0.9F, 0.999F, 1e-8F, 0.1F}, 0, 0, {}, {}});
  model.weights()["w"] = {0, 0};
  Gradients gradients;
  gradients.clean["w"] = {4, -8};
  gradients.has_adversarial = false;
  gradients.rate = 0.5F;
  model.Apply(gradients);
  EXPECT_NEAR(model.weights()["w"][0], -0.5, 1e-6);
  EXPECT_NEAR(model.weights()["w"][1], 0.5, 1e-6);
}

}  // namespace
}  // namespace conadv
