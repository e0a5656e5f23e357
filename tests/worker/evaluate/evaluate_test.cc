// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/evaluate.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <utility>

#include "tests/worker/data/generated_dataset.h"
#include "tests/worker/model/replicas.h"
#include "worker/data/memory_dataset.h"

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
  Evaluation Run(const Dataset& test, bool robust, int threads) {
    return Evaluate(factory_, layout_, weights_, test, TestDevice(), options_, robust, threads)
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

TEST_F(EvaluateTest, IsTheSameForAnyNumberOfThreads) {
  auto factory = SmallFactory("convnet");
  const auto layout = LayoutOf(*factory(), true);
  const auto weights = InitialWeights(*factory(), *layout);
  const Examples examples = RandomExamples(700);
  ExampleArrays arrays;
  arrays.image_size = {1, 8, 8};
  arrays.classes = 3;
  const torch::Tensor pixels = (examples.images * 255).to(torch::kUInt8);
  arrays.pixels.assign(pixels.data_ptr<uint8_t>(), pixels.data_ptr<uint8_t>() + pixels.numel());
  for (int64_t i = 0; i < 700; ++i) {
    arrays.labels.push_back(static_cast<uint8_t>(examples.labels[i].item<int64_t>()));
  }
  const MemoryDataset test(std::move(arrays));
  const Evaluation one = *Evaluate(factory, layout, weights, test, TestDevice(), options_, true, 1);
  for (const int threads : {2, 3, 16}) {
    const Evaluation many =
        *Evaluate(factory, layout, weights, test, TestDevice(), options_, true, threads);
    EXPECT_EQ(many.clean_accuracy, one.clean_accuracy);
    EXPECT_EQ(many.clean_loss, one.clean_loss);
    EXPECT_EQ(many.robust_accuracy, one.robust_accuracy);
  }
  EXPECT_LT(one.robust_accuracy, one.clean_accuracy);
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
                                     TestDevice(), options_, true, threads);
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
                       options_, true, threads)
                  .status(),
              absl::NotFoundError("example 300: the file is gone"));
  }
}

TEST_F(EvaluateTest, IsCutShortAfterABatch) {
  std::atomic<int> batches{0};
  const auto evaluation =
      Evaluate(factory_, layout_, weights_, DarkAndBright(10000, 51, 204), TestDevice(), options_,
               true, 1, [&batches] { return ++batches < 3; });
  EXPECT_TRUE(absl::IsCancelled(evaluation.status())) << evaluation.status();
  EXPECT_EQ(batches, 3);
}

}  // namespace
}  // namespace conadv
