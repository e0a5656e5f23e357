// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/evaluate.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <utility>

#include "tests/worker/data/generated_dataset.h"
#include "tests/worker/model/replicas.h"
#include "worker/data/memory_dataset.h"
#include "worker/evaluate/examples.h"

namespace conadv {
namespace {

// Class 0 is dark, class 1 bright: the mean pixel tells.
MemoryDataset DarkAndBright(uint64_t examples, uint8_t dark, uint8_t bright) {
  ExampleArrays arrays;
  arrays.image_size = {1, 2, 2};
  arrays.classes = 2;
  for (uint64_t i = 0; i < examples; ++i) {
    arrays.labels.push_back(i % 2);
    arrays.pixels.insert(arrays.pixels.end(), 4, i % 2 == 0 ? dark : bright);
  }
  return MemoryDataset(std::move(arrays));
}

// Says "bright" when the mean pixel is above a half.
class Threshold : public Network {
 public:
  Threshold() { tensors_.push_back({"weight", torch::full({1}, 8.0F), false, false, true, 0, {}}); }
  torch::Tensor Forward(const torch::Tensor& images) override {
    const torch::Tensor bright = (images.flatten(1).mean(1) - 0.5) * tensors_[0].tensor;
    return torch::stack({-bright, bright}, 1);
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  void SetTraining(bool) override {}

 private:
  std::vector<NetworkTensor> tensors_;
};

class EvaluateTest : public testing::Test {
 protected:
  EvaluateTest() {
    options_.attack_steps = 5;
    options_.epsilon = 0.1F;
    options_.step_size = 0.05F;
  }
  static EvaluationRun HowTo(bool robust, int threads) {
    EvaluationRun run;
    run.robust = robust;
    run.threads = threads;
    run.seed = 1;
    return run;
  }
  Evaluation Run(const Dataset& test, bool robust, int threads) {
    return Evaluate(factory_, layout_, weights_, test, TestDevice(), options_,
                    HowTo(robust, threads))
        .value();
  }

  const NetworkFactory factory_ = [] { return std::make_unique<Threshold>(); };
  const std::shared_ptr<const Layout> layout_ = LayoutOf(*factory_(), false);
  const std::shared_ptr<Arena> weights_ = InitialWeights(*factory_(), *layout_);
  EvaluationOptions options_;
};

TEST_F(EvaluateTest, CountsWhatIsRight) {
  // Pixels of 0.2 and 0.8 have a margin of 0.3, out of the attack's reach.
  const Evaluation far = Run(DarkAndBright(300, 51, 204), true, 1);
  EXPECT_EQ(far.examples, 300U);
  EXPECT_EQ(far.clean_accuracy, 1);
  EXPECT_TRUE(far.robust);
  EXPECT_EQ(far.robust_accuracy, 1);
  EXPECT_NEAR(far.clean_loss, std::log1p(std::exp(-2 * 8 * 0.3)), 1e-4);
  // Bright ones of 0.56 are in its reach, dark ones are not.
  EXPECT_EQ(Run(DarkAndBright(300, 51, 143), true, 1).clean_accuracy, 1);
  EXPECT_EQ(Run(DarkAndBright(300, 51, 143), true, 1).robust_accuracy, 0.5);
  // Bright ones of 0.4 are wrong from the start.
  EXPECT_EQ(Run(DarkAndBright(300, 51, 102), true, 1).clean_accuracy, 0.5);
}

TEST_F(EvaluateTest, AttacksOnlyWhenAskedTo) {
  EXPECT_FALSE(Run(DarkAndBright(10, 51, 204), false, 1).robust);
  options_.attack_steps = 0;
  EXPECT_FALSE(Run(DarkAndBright(10, 51, 204), true, 1).robust);
}

TEST_F(EvaluateTest, LimitTakesTheFirstExamples) {
  options_.limit = 7;
  const Evaluation evaluation = Run(DarkAndBright(300, 51, 102), false, 2);
  EXPECT_EQ(evaluation.examples, 7U);
  EXPECT_DOUBLE_EQ(evaluation.clean_accuracy, 4.0 / 7);
  options_.limit = 1000;
  EXPECT_EQ(Run(DarkAndBright(300, 51, 102), false, 2).examples, 300U);
}

TEST_F(EvaluateTest, SampleTakesThoseThatTheSeedDraws) {
  options_.limit = 100;
  options_.sample = true;
  const std::vector<uint64_t> drawn = EvaluatedExamples(options_, 1, 300);
  EXPECT_EQ(drawn.size(), 100U);
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
  EXPECT_EQ(std::adjacent_find(drawn.begin(), drawn.end()), drawn.end());
  EXPECT_GT(drawn.back(), 100U);
  EXPECT_LT(drawn.back(), 300U);
  EXPECT_EQ(EvaluatedExamples(options_, 1, 300), drawn);
  EXPECT_NE(EvaluatedExamples(options_, 2, 300), drawn);
  // Half of all are wrong: the odd ones.
  const auto even =
      std::count_if(drawn.begin(), drawn.end(), [](uint64_t i) { return i % 2 == 0; });
  EXPECT_DOUBLE_EQ(Run(DarkAndBright(300, 51, 102), false, 2).clean_accuracy,
                   static_cast<double>(even) / 100);
}

TEST_F(EvaluateTest, IsTheSameForAnyNumberOfThreads) {
  auto factory = SmallFactory("mlp");
  const auto layout = LayoutOf(*factory(), true);
  const auto weights = InitialWeights(*factory(), *layout);
  const Examples examples = RandomExamples(160);
  ExampleArrays arrays;
  arrays.image_size = {1, 8, 8};
  arrays.classes = 3;
  const torch::Tensor pixels = (examples.images * 255).to(torch::kUInt8);
  arrays.pixels.assign(pixels.data_ptr<uint8_t>(), pixels.data_ptr<uint8_t>() + pixels.numel());
  for (int64_t i = 0; i < 160; ++i) {
    arrays.labels.push_back(static_cast<uint8_t>(examples.labels[i].item<int64_t>()));
  }
  const MemoryDataset test(std::move(arrays));
  for (const EvaluationSuite suite : {EvaluationSuite::kPgd, EvaluationSuite::kStandard}) {
    options_.suite = suite;
    options_.restarts = 2;
    options_.epsilon = suite == EvaluationSuite::kPgd ? 0.1F : 0.005F;
    EvaluationRun run = HowTo(true, 1);
    run.training_attack.emplace();
    run.training_attack->step_size = run.training_attack->epsilon = 0.05F;
    run.training_attack->steps = 1;
    const Evaluation one = *Evaluate(factory, layout, weights, test, TestDevice(), options_, run);
    run.threads = 3;
    const Evaluation many = *Evaluate(factory, layout, weights, test, TestDevice(), options_, run);
    EXPECT_EQ(many.clean_accuracy, one.clean_accuracy);
    EXPECT_EQ(many.clean_loss, one.clean_loss);
    EXPECT_EQ(many.robust_accuracy, one.robust_accuracy);
    EXPECT_EQ(many.attacks, one.attacks);
    EXPECT_EQ(many.warnings, one.warnings);
    EXPECT_EQ(many.overfitting->alignment, one.overfitting->alignment);
    EXPECT_LT(one.robust_accuracy, one.clean_accuracy);
    EXPECT_GT(one.robust_accuracy, 0);
  }
}

TEST_F(EvaluateTest, TellsHowFarItIs) {
  options_.suite = EvaluationSuite::kStandard;
  options_.epsilon = 0.1F;
  EvaluationRun run = HowTo(true, 2);
  std::vector<std::string> stages;
  EvaluationProgress last;
  run.on_progress = [&](const EvaluationProgress& progress) {
    if (stages.empty() || stages.back() != progress.stage) stages.push_back(progress.stage);
    EXPECT_GE(progress.done, last.done);
    last = progress;
  };
  const Evaluation found = Evaluate(factory_, layout_, weights_, DarkAndBright(200, 51, 143),
                                    TestDevice(), options_, run)
                               .value();
  EXPECT_EQ(stages.front(), "clean");
  EXPECT_THAT(stages, testing::IsSupersetOf({"APGD-CE", "APGD-T", "PGD-5"}));
  EXPECT_EQ(last.examples, 200U);
  EXPECT_EQ(last.done, 200U);
  EXPECT_EQ(last.right, 200U);
  EXPECT_EQ(last.standing, 100U);
  EXPECT_EQ(found.robust_accuracy, 0.5);
  ASSERT_EQ(found.attacks.size(), 4U);
  EXPECT_EQ(found.attacks[0], (NamedAccuracy{"APGD-CE", 0.5}));
}

TEST_F(EvaluateTest, ACorruptionsAccuracyIsOfAllItsSeverities) {
  // At three of five severities the bright ones are too dark.
  ExampleArrays arrays;
  arrays.image_size = {1, 2, 2};
  arrays.classes = 2;
  for (int severity = 0; severity < 5; ++severity) {
    for (int i = 0; i < 40; ++i) {
      arrays.labels.push_back(static_cast<uint8_t>(i % 2));
      arrays.pixels.insert(arrays.pixels.end(), 4, i % 2 == 0 ? 20 : severity < 2 ? 200 : 100);
    }
  }
  const auto fog = std::make_shared<MemoryDataset>(std::move(arrays));
  const auto evaluate = [&] {
    return EvaluateCorruptions(factory_, layout_, weights_, {{"fog", fog, 5}}, TestDevice(),
                               options_, HowTo(true, 2))
        .value();
  };
  EXPECT_THAT(evaluate(), testing::ElementsAre(NamedAccuracy{"fog", 0.7}));
  // The first of each severity, which is a dark one.
  options_.limit = 1;
  EXPECT_THAT(evaluate(), testing::ElementsAre(NamedAccuracy{"fog", 1}));
}

// A layer that meets something it was not made for, or memory that is used up.
TEST_F(EvaluateTest, WhatABatchThrowsIsAnErrorAndNotTheEnd) {
  class Throws final : public Threshold {
   public:
    torch::Tensor Forward(const torch::Tensor& images) override {
      return torch::stack({images.flatten(1).mean(1), torch::ones({7})}, 1);
    }
  };
  const NetworkFactory factory = [] { return std::make_unique<Throws>(); };
  for (const int threads : {1, 3}) {
    const auto evaluation = Evaluate(factory, layout_, weights_, DarkAndBright(700, 51, 204),
                                     TestDevice(), options_, HowTo(true, threads));
    EXPECT_TRUE(absl::IsInternal(evaluation.status())) << evaluation.status();
  }
}

TEST_F(EvaluateTest, WhatCannotBeReadIsAnErrorThatSaysSo) {
  GeneratedOptions generated;
  generated.examples = 700;
  generated.classes = 2;
  generated.image_size = {1, 2, 2};
  generated.unreadable = 300;
  for (const int threads : {1, 3}) {
    EXPECT_EQ(Evaluate(factory_, layout_, weights_, GeneratedDataset(generated), TestDevice(),
                       options_, HowTo(true, threads))
                  .status(),
              absl::NotFoundError("example 300: the file is gone"));
  }
}

TEST_F(EvaluateTest, IsCutShortAfterABatch) {
  std::atomic<int> batches{0};
  EvaluationRun run = HowTo(true, 1);
  run.go_on = [&batches] { return ++batches < 3; };
  const auto evaluation = Evaluate(factory_, layout_, weights_, DarkAndBright(10000, 51, 204),
                                   TestDevice(), options_, run);
  EXPECT_TRUE(absl::IsCancelled(evaluation.status())) << evaluation.status();
  EXPECT_EQ(batches, 3);
}

}  // namespace
}  // namespace conadv
