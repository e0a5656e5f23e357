// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/optimizer.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/optimize/state_bytes.h"
#include "tests/server/optimize/shard_model.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class OptimizerTest : public ::testing::TestWithParam<std::string> {
 protected:
  static OptimizerOptions Rule() {
    OptimizerOptions options = EveryRule().at(GetParam());
    return options;
  }
};

TEST_P(OptimizerTest, BitsDoNotDependOnTheNumberOfShards) {
  for (const auto& [clip_norm, global_clip_norm] :
       {std::pair(0.0F, 0.0F), std::pair(8.0F, 0.0F), std::pair(0.0F, 8.0F)}) {
    OptimizerOptions options = Rule();
    options.clip_norm = clip_norm;
    options.global_clip_norm = global_clip_norm;
    ShardModel one(EveryTensor(), 1, options);
    ShardModel two(EveryTensor(), 2, options);
    ShardModel three(EveryTensor(), 3, options);
    for (uint32_t step = 0; step < 5; ++step) {
      const Gradients gradients = RandomGradients(one.tensors(), step);
      one.Apply(gradients);
      two.Apply(gradients);
      three.Apply(gradients);
    }
    EXPECT_EQ(one.weights(), two.weights());
    EXPECT_EQ(one.weights(), three.weights());
  }
}

TEST_P(OptimizerTest, BitsDoNotDependOnTheNumberOfThreads) {
  std::vector<TensorSpec> tensors = EveryTensor();
  tensors.push_back({"large", {700, 1000}});  // more than one thread takes
  ThreadPool pool(3);
  ShardModel alone(tensors, 1, Rule());
  ShardModel together(tensors, 1, Rule(), 0, &pool);
  for (uint32_t step = 0; step < 2; ++step) {
    const Gradients gradients = RandomGradients(tensors, step);
    const UpdateNorms expected = alone.Apply(gradients)[0];
    const UpdateNorms norms = together.Apply(gradients)[0];
    EXPECT_EQ(norms.norm, expected.norm);
    EXPECT_EQ(norms.dot, expected.dot);
  }
  EXPECT_EQ(together.weights(), alone.weights());
}

TEST_P(OptimizerTest, ContinuesWithTheSameBitsFromARestoredState) {
  ShardModel whole(EveryTensor(), 1, Rule());
  for (uint32_t step = 0; step < 3; ++step) whole.Apply(RandomGradients(whole.tensors(), step));

  ShardModel restored(EveryTensor(), 1, Rule(), /*updates_done=*/3);
  restored.weights() = whole.weights();
  const auto from = whole.optimizer(0).state();
  const auto to = restored.optimizer(0).state();
  ASSERT_EQ(from.size(), to.size());
  for (size_t i = 0; i < from.size(); ++i) {
    ASSERT_EQ(from[i].name, to[i].name);
    std::copy(from[i].values.begin(), from[i].values.end(), to[i].values.begin());
  }
  for (uint32_t step = 3; step < 6; ++step) {
    whole.Apply(RandomGradients(whole.tensors(), step));
    restored.Apply(RandomGradients(whole.tensors(), step));
  }
  EXPECT_EQ(whole.weights(), restored.weights());
}

TEST_P(OptimizerTest, StateIsAsLongAsTheArenaAndCounted) {
  ShardModel model(EveryTensor(), 2, Rule());
  uint64_t bytes = 0;
  for (const auto& state : model.optimizer(1).state()) {
    EXPECT_EQ(state.values.size(), model.layout().arena_size(1));
    for (const float value : state.values) EXPECT_EQ(value, 0);
    bytes += 4 * state.values.size();
  }
  EXPECT_EQ(model.optimizer(1).state_bytes(), bytes);
  EXPECT_EQ(StateBytesOf(Rule(), model.layout().arena_size(1)), bytes);
}

TEST_P(OptimizerTest, StepScaleOfZeroMovesStatisticsAlone) {
  ShardModel model(EveryTensor(), 1, Rule());
  const Values before = model.weights();
  Gradients gradients = RandomGradients(model.tensors(), 0);
  gradients.step_scale = 0;
  model.Apply(gradients);
  for (const TensorSpec& tensor : model.tensors()) {
    const bool moved = model.weights()[tensor.name] != before.at(tensor.name);
    EXPECT_EQ(moved, tensor.kind == TensorKind::kStatistic) << tensor.name;
  }
}

TEST_P(OptimizerTest, TensorsWithoutGradientsStayAsTheyAre) {
  ShardModel model(EveryTensor(), 1, Rule());
  const Values before = model.weights();
  Gradients gradients = RandomGradients(model.tensors(), 0);
  gradients.has_adversarial = false;
  model.Apply(gradients);
  for (const TensorSpec& tensor : model.tensors()) {
    const bool moved = model.weights()[tensor.name] != before.at(tensor.name);
    EXPECT_EQ(moved, tensor.branch != Branch::kAuxiliary) << tensor.name;
  }
}

TEST_P(OptimizerTest, FrozenTensorsTheirStateAndStatisticsStayAsTheyAreAndCountInNoNorm) {
  OptimizerOptions options = Rule();
  options.clip_norm = 1;  // which measures
  options.tensors = {{"main.*", std::nullopt, std::nullopt, true},
                     {"linear.weight", std::nullopt, std::nullopt, true}};
  ShardModel model(EveryTensor(), 1, options);
  const Values before = model.weights();
  Gradients gradients = RandomGradients(model.tensors(), 0);
  gradients.has_adversarial = false;
  double square = 0;
  const UpdateNorms norms = model.Apply(gradients)[0];
  for (const Placement& placement : model.layout().placements()) {
    const TensorSpec& tensor = placement.tensor;
    const bool frozen = tensor.branch == Branch::kMain || tensor.name == "linear.weight";
    const bool moves = !frozen && tensor.branch == Branch::kShared;
    EXPECT_EQ(model.weights()[tensor.name] != before.at(tensor.name), moves) << tensor.name;
    if (!moves) {
      for (const auto& state : model.optimizer(0).state()) {
        EXPECT_THAT(state.values.subspan(placement.offset, tensor.size()), ::testing::Each(0.0F))
            << tensor.name << ' ' << state.name;
      }
    } else if (tensor.kind != TensorKind::kStatistic) {
      for (const double value : gradients.clean.at(tensor.name)) square += value * value / 16;
    }
  }
  EXPECT_NEAR(norms.norm[0], std::sqrt(square), 1e-10 * norms.norm[0]);
}

TEST_P(OptimizerTest, NormsAreOfTheMeanGradientsWithoutStatistics) {
  for (const auto& [clip_norm, global_clip_norm] :
       {std::pair(0.0F, 0.0F), std::pair(1.0F, 0.0F), std::pair(0.0F, 1.0F)}) {
    OptimizerOptions options = Rule();
    options.clip_norm = clip_norm;
    options.global_clip_norm = global_clip_norm;
    ShardModel model(EveryTensor(), 1, options);
    Gradients gradients = RandomGradients(model.tensors(), 0);
    gradients.clean_contributions = 3;
    double clean = 0;
    double adversarial = 0;
    double dot = 0;
    for (const TensorSpec& tensor : model.tensors()) {
      if (tensor.kind == TensorKind::kStatistic) continue;
      for (size_t i = 0; i < tensor.size(); ++i) {
        const double c = gradients.clean.at(tensor.name)[i] / 3.0;
        const double a = gradients.adversarial.at(tensor.name)[i] / 4.0;
        if (tensor.branch != Branch::kAuxiliary) clean += c * c;
        if (tensor.branch != Branch::kMain) adversarial += a * a;
        if (tensor.branch == Branch::kShared) dot += c * a;
      }
    }
    const UpdateNorms norms = model.Apply(gradients)[0];
    EXPECT_NEAR(norms.norm[0], std::sqrt(clean), 1e-10 * norms.norm[0]);
    EXPECT_NEAR(norms.norm[1], std::sqrt(adversarial), 1e-10 * norms.norm[1]);
    EXPECT_NEAR(norms.dot[1], dot, 1e-10 * norms.norm[0] * norms.norm[1]);
  }
}

INSTANTIATE_TEST_SUITE_P(Rules, OptimizerTest, ::testing::ValuesIn(RuleNames()),
                         [](const auto& info) { return info.param; });

TEST(OptimizerStateTest, IsNamedAndPlainDescentHasNone) {
  const auto names = [](const OptimizerOptions& options) {
    ShardModel model(EveryTensor(), 1, options);
    std::vector<std::string> found;
    for (const auto& state : model.optimizer(0).state()) found.push_back(state.name);
    return found;
  };
  EXPECT_THAT(names(EveryRule().at("sgd_plain")), IsEmpty());
  EXPECT_THAT(names(EveryRule().at("sgd_momentum")), ElementsAre("momentum"));
  EXPECT_THAT(names(EveryRule().at("lars")), ElementsAre("momentum"));
  EXPECT_THAT(names(EveryRule().at("adamw")), ElementsAre("first_moment", "second_moment"));
  EXPECT_THAT(names(EveryRule().at("lamb")), ElementsAre("first_moment", "second_moment"));
}

TEST(StatisticsTest, MoveTowardsTheMeanOfAllContributionsOfTheirStreams) {
  const auto statistic = [](const char* name, Branch branch) {
    return TensorSpec{name, {1}, TensorKind::kStatistic, branch, 0.5F};
  };
  ShardModel model({statistic("shared", Branch::kShared), statistic("main", Branch::kMain),
                    statistic("auxiliary", Branch::kAuxiliary)},
                   1, {SgdOptions{0.9F, false, 0.1F}, 0, 0, {}, {}});
  for (auto& [name, values] : model.weights()) values = {2};
  Gradients gradients;
  gradients.clean = {{"shared", {12}}, {"main", {12}}, {"auxiliary", {-99}}};
  gradients.adversarial = {{"shared", {20}}, {"main", {-99}}, {"auxiliary", {20}}};
  gradients.clean_contributions = 3;
  gradients.adversarial_contributions = 1;
  // Neither weights nor rate touch a statistic.
  gradients.clean_weight = 7;
  gradients.rate = 100;
  model.Apply(gradients);
  EXPECT_EQ(model.weights()["main"][0], 2 + 0.5F * (4 - 2));
  EXPECT_EQ(model.weights()["auxiliary"][0], 2 + 0.5F * (20 - 2));
  EXPECT_EQ(model.weights()["shared"][0], 2 + 0.5F * (8 - 2));
}

TEST(StatisticsTest, WithoutAMomentumAreTheMeanOfAllBatches) {
  for (const uint64_t batches : {0, 3}) {
    ShardModel model({{"mean", {1}, TensorKind::kStatistic, Branch::kShared, 0, batches}}, 1,
                     {SgdOptions{0.9F, false, 0.1F}, 0, 0, {}, {}});
    model.weights()["mean"] = {batches == 0 ? 77.0F : 8.0F};  // of no batch, or of three
    Gradients gradients;
    gradients.has_adversarial = false;
    gradients.clean_contributions = 2;
    double sum = 8.0 * static_cast<double>(batches);
    for (int update = 1; update <= 5; ++update) {
      gradients.clean = {{"mean", {2.0F * update}}};
      sum += update;
      model.Apply(gradients);
      EXPECT_FLOAT_EQ(model.weights()["mean"][0],
                      static_cast<float>(sum / (static_cast<double>(batches) + update)));
    }
  }
}

TEST(ClippingTest, ScalesALongGradientDownAndLeavesAShortOne) {
  const std::vector<TensorSpec> tensors = {{"long", {2}, TensorKind::kWeight, Branch::kShared, 0},
                                           {"short", {2}, TensorKind::kWeight, Branch::kShared, 0}};
  ShardModel model(tensors, 1, {SgdOptions{0, false, 0}, 1, 0, {}, {}});
  for (auto& [name, values] : model.weights()) values = {0, 0};
  Gradients gradients;
  gradients.clean = {{"long", {30, 40}}, {"short", {0.3F, 0.4F}}};
  gradients.clean_contributions = 1;
  gradients.has_adversarial = false;
  gradients.rate = 1;
  model.Apply(gradients);
  EXPECT_FLOAT_EQ(model.weights()["long"][0], -0.6F);
  EXPECT_FLOAT_EQ(model.weights()["long"][1], -0.8F);
  EXPECT_FLOAT_EQ(model.weights()["short"][0], -0.3F);
  EXPECT_FLOAT_EQ(model.weights()["short"][1], -0.4F);
}

TEST(ClippingTest, AGradientThatIsShortEnoughGivesTheBitsOfNoClipping) {
  for (const auto& [name, rule] : EveryRule()) {
    OptimizerOptions options = rule;
    ShardModel plain(EveryTensor(), 2, options);
    options.global_clip_norm = 1e6;
    ShardModel clipped(EveryTensor(), 2, options);
    for (uint32_t step = 0; step < 3; ++step) {
      plain.Apply(RandomGradients(plain.tensors(), step));
      clipped.Apply(RandomGradients(plain.tensors(), step));
    }
    EXPECT_EQ(plain.weights(), clipped.weights()) << name;
  }
}

TEST(ClippingTest, WhatIsMeasuredIsTheCombinedGradientOfParametersAlone) {
  const auto tensor = [](const char* name, TensorKind kind, Branch branch) {
    return TensorSpec{name, {2}, kind, branch, 0.5F};
  };
  const Layout layout = *Layout::Create({tensor("weight", TensorKind::kWeight, Branch::kShared),
                                         tensor("mean", TensorKind::kStatistic, Branch::kShared),
                                         tensor("other", TensorKind::kWeight, Branch::kAuxiliary)},
                                        1);
  const std::unique_ptr<Optimizer> optimizer =
      MakeOptimizer({SgdOptions{0, false, 0}, 0, 0, {}, {}}, layout, 0, 0);
  Arena weights(layout.arena_size(0));
  weights.Zero();
  Arena sum(layout.arena_size(0));
  sum.Zero();
  for (const size_t index : layout.tensors_of(0)) {
    float* const values = sum.data() + layout.placements()[index].offset;
    values[0] = 30;
    values[1] = 40;
  }
  Update update;
  update.weights = weights.data();
  update.streams = {{sum.data(), 0.5F, 5, Branch::kMain}};  // g = 0.5 · sum / 5
  const std::vector<Measured> measured = optimizer->MeasureGradient(update);
  const auto tensors = layout.tensors_of(0);
  ASSERT_EQ(measured.size(), 3U);
  for (size_t t = 0; t < tensors.size(); ++t) {
    const bool counts = layout.placements()[tensors[t]].tensor.name == "weight";
    EXPECT_FLOAT_EQ(measured[t].gradient, counts ? 25 : 0);
  }
}

TEST(ClippingTest, ANormBeyondAllNumbersScalesToNothingAndOneThatIsNoneNotAtAll) {
  EXPECT_EQ(ClipScale(4, 1), 0.25F);
  EXPECT_EQ(ClipScale(1, 1), 1);
  EXPECT_EQ(ClipScale(0, 1), 1);
  EXPECT_EQ(ClipScale(INFINITY, 1), 0);
  EXPECT_EQ(ClipScale(NAN, 1), 1);
}

}  // namespace
}  // namespace conadv
