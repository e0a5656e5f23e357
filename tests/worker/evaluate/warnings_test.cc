// SPDX-License-Identifier: Apache-2.0
// Each warning, brought about by a model that deserves it.
#include "worker/evaluate/warnings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>

#include "tests/worker/model/replicas.h"
#include "worker/data/memory_dataset.h"
#include "worker/evaluate/evaluate.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Two classes that a function of the mean pixel tells apart: > 0 is class 1.
class Mean final : public Network {
 public:
  using Score = std::function<torch::Tensor(const torch::Tensor& mean)>;
  explicit Mean(Score score) : score_(std::move(score)) {
    tensors_.push_back({"weight", torch::ones({1}), false, false, true, 0, {}});
  }
  torch::Tensor Forward(const torch::Tensor& images) override {
    const torch::Tensor score = score_(images.flatten(1).mean(1)) * tensors_[0].tensor;
    return torch::stack({-score, score}, 1);
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  void SetTraining(bool) override {}

 private:
  const Score score_;
  std::vector<NetworkTensor> tensors_;
};

// 20 images of one value each, of class 0 and 1 in turn.
MemoryDataset Images(double dark, double bright) {
  ExampleArrays arrays;
  arrays.image_size = {1, 4, 4};
  arrays.classes = 2;
  for (int i = 0; i < 20; ++i) {
    arrays.labels.push_back(static_cast<uint8_t>(i % 2));
    arrays.pixels.insert(arrays.pixels.end(), 16,
                         static_cast<uint8_t>(255 * (i % 2 == 0 ? dark : bright)));
  }
  return MemoryDataset(std::move(arrays));
}

Evaluation EvaluateScore(const Mean::Score& score, const EvaluationRun& run,
                         EvaluationSuite suite = EvaluationSuite::kStandard,
                         const Dataset& images = Images(0.42, 0.58)) {
  const NetworkFactory factory = [&score] { return std::make_unique<Mean>(score); };
  const auto layout = LayoutOf(*factory(), false);
  EvaluationOptions options;
  options.suite = suite;
  options.attack_steps = 5;
  options.epsilon = 0.1F;
  options.step_size = 0.05F;
  return Evaluate(factory, layout, InitialWeights(*factory(), *layout), images, TestDevice(),
                  options, run)
      .value();
}

EvaluationRun Robust() {
  EvaluationRun run;
  run.robust = true;
  return run;
}

TEST(Warnings, AnHonestModelGivesNone) {
  const Evaluation found =
      EvaluateScore([](const torch::Tensor& mean) { return 10 * (mean - 0.5); }, Robust());
  EXPECT_EQ(found.robust_accuracy, 0);
  EXPECT_THAT(found.warnings, IsEmpty());
}

// Steps have no slope; a search without gradients walks up them.
TEST(Warnings, MaskedGradientsShowInZerosAndInWhatSquareFinds) {
  const Evaluation found = EvaluateScore(
      [](const torch::Tensor& mean) { return ((mean - 0.5) * 16).floor() + 0.5; }, Robust());
  EXPECT_EQ(found.attacks[1].accuracy, found.clean_accuracy);
  EXPECT_LT(found.robust_accuracy, found.clean_accuracy);
  EXPECT_THAT(found.warnings,
              ElementsAre(HasSubstr("has no gradient at all on 20 of 20 images"),
                          HasSubstr("Square, a weaker attack, still lowers the accuracy")));
}

TEST(Warnings, ARandomisedModelIsFoundOut) {
  const Evaluation found = EvaluateScore(
      [](const torch::Tensor& mean) { return mean - 0.5 + 0.01 * torch::randn_like(mean); },
      Robust(), EvaluationSuite::kPgd);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("the model is randomised")));
}

// A valley in the middle of the step: where the step ends, all is well again.
TEST(Warnings, WhatOnlySmallerStepsFindIsCatastrophicOverfitting) {
  EvaluationRun run;
  run.training_attack = AttackOptions();
  run.training_attack->step_size = run.training_attack->epsilon = 0.1F;
  run.training_attack->steps = 1;
  const auto valleys = [](const torch::Tensor& mean) {
    const torch::Tensor bright = (mean - 0.65).abs() * 40 - 1;
    const torch::Tensor dark = 1 - (mean - 0.35).abs() * 40;
    return torch::where(mean > 0.5, bright, dark);
  };
  const Evaluation found = EvaluateScore(valleys, run, EvaluationSuite::kPgd, Images(0.3, 0.7));
  EXPECT_FALSE(found.robust);
  ASSERT_TRUE(found.overfitting.has_value());
  EXPECT_EQ(found.overfitting->examples, 20);
  EXPECT_EQ(found.overfitting->own_accuracy, 1);
  EXPECT_EQ(found.overfitting->pgd_accuracy, 0);
  EXPECT_GT(found.overfitting->alignment, 0.5);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("catastrophic overfitting?")));
}

TEST(Warnings, GradientsThatNoLongerAgreeAreSeenBeforeThat) {
  EvaluationRun run;
  run.training_attack = AttackOptions();
  run.training_attack->step_size = run.training_attack->epsilon = 0.1F;
  run.training_attack->steps = 1;
  // Ripples far finer than the ball, on a slope.
  const auto ripples = [](const torch::Tensor& mean) {
    return 100 * (mean - 0.5) + (mean * 3000).sin();
  };
  run.best_alignment = 0.9;
  const Evaluation found = EvaluateScore(ripples, run);
  EXPECT_LT(found.overfitting->alignment, 0.45);
  EXPECT_THAT(found.warnings, ElementsAre(HasSubstr("no longer agree within the ball")));
}

// Its step has no ball to be stronger in.
TEST(Warnings, ARawStepIsNotCheckedForOverfitting) {
  EvaluationRun run;
  run.training_attack = AttackOptions();
  run.training_attack->step = AttackStep::kRaw;
  EXPECT_FALSE(EvaluateScore([](const torch::Tensor& mean) { return mean - 0.5; }, run)
                   .overfitting.has_value());
}

TEST(Warnings, OfOverfittingSayWhatWasMeasured) {
  OverfittingCheck check;
  check.examples = 128;
  check.own_accuracy = 0.7;
  check.pgd_accuracy = 0.65;
  check.alignment = 0.8;
  EXPECT_EQ(OverfittingWarning(check, 0.9), "");
  check.pgd_accuracy = 0.1;
  EXPECT_THAT(OverfittingWarning(check, 0.9),
              HasSubstr("0.700 under the training's own attack, but 0.100 under PGD-10"));
  check.pgd_accuracy = 0.65;
  check.alignment = 0.3;
  EXPECT_THAT(OverfittingWarning(check, 0.9), HasSubstr("is 0.300, it was 0.900"));
  // It never was high: the model is no worse than it was.
  EXPECT_EQ(OverfittingWarning(check, 0.35), "");
}

}  // namespace
}  // namespace conadv
