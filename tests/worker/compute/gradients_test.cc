// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/gradients.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/worker/device/copying_device.h"
#include "tests/worker/model/replicas.h"
#include "worker/attack/attack.h"

namespace conadv {
namespace {

class GradientsTest : public testing::Test {
 protected:
  Replica Make(Pass pass) {
    Replica replica(factory_(), layout_, pass, &TestDevice());
    replica.BindWeights(weights_);
    return replica;
  }
  std::shared_ptr<Arena> Compute(Replica& replica, const Examples& examples) {
    auto gradients = Filled(layout_->total_size(), 0);
    ComputeGradients(replica, examples.images, examples.labels, 0.1F, gradients);
    return gradients;
  }

  const NetworkFactory factory_ = SmallFactory("convnet");
  const std::unique_ptr<Network> network_ = factory_();
  const std::shared_ptr<const Layout> layout_ = LayoutOf(*network_, true, 2);
  const std::shared_ptr<Arena> weights_ = InitialWeights(*network_, *layout_);
  const Examples examples_ = RandomExamples(24);
};

// The mlp of SmallFactory, written with nothing of ours.
torch::Tensor PlainForward(const std::map<std::string, torch::Tensor>& parameters,
                           const torch::Tensor& images) {
  torch::Tensor x = ((images - 0.25) / 0.5).flatten(1);
  for (const std::string i : {"1", "2"}) {
    x = torch::batch_norm(x.matmul(parameters.at("linear" + i + ".weight").t()),
                          parameters.at("norm" + i + ".weight"),
                          parameters.at("norm" + i + ".bias"), {}, {}, /*training=*/true, 0.1, 1e-5,
                          false)
            .relu();
  }
  return torch::addmm(parameters.at("classify.bias"), x, parameters.at("classify.weight").t());
}

TEST_F(GradientsTest, AreThoseOfPlainAutograd) {
  auto factory = SmallFactory("mlp");
  auto network = factory();
  const auto layout = LayoutOf(*network, true, 3);
  const auto weights = InitialWeights(*network, *layout);
  // Scales that differ between the branches: the wrong ones would show.
  InArena(*layout, *weights, "norm1.weight").mul_(2);
  InArena(*layout, *weights, "auxiliary.norm1.weight").mul_(3);

  for (const Pass pass : {Pass::kClean, Pass::kAdversarial}) {
    const std::string prefix = pass == Pass::kClean ? "" : "auxiliary.";
    std::map<std::string, torch::Tensor> parameters;
    std::map<std::string, std::string> places;
    for (const NetworkTensor& tensor : network->tensors()) {
      if (tensor.statistic) continue;
      places[tensor.name] = (tensor.batch_norm ? prefix : "") + tensor.name;
      parameters[tensor.name] =
          InArena(*layout, *weights, places[tensor.name]).clone().requires_grad_(true);
    }
    const torch::Tensor logits = PlainForward(parameters, examples_.images);
    const torch::Tensor loss = torch::nn::functional::cross_entropy(
        logits, examples_.labels,
        torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(0.1));
    loss.backward();

    Replica replica(factory(), layout, pass, &TestDevice());
    replica.BindWeights(weights);
    auto gradients = Filled(layout->total_size(), 55);
    const PassResult result =
        ComputeGradients(replica, examples_.images, examples_.labels, 0.1F, gradients);
    EXPECT_NEAR(result.loss, loss.item<float>(), 1e-5);
    EXPECT_FLOAT_EQ(result.accuracy,
                    logits.argmax(1).eq(examples_.labels).to(torch::kFloat32).mean().item<float>());
    for (const auto& [name, parameter] : parameters) {
      EXPECT_TRUE(
          torch::allclose(InArena(*layout, *gradients, places[name]), parameter.grad(), 1e-3, 1e-6))
          << name;
    }
  }
}

// Keeps each tensor as it was when the pass said that it was final.
class KeptTensors final : public PassProgress {
 public:
  KeptTensors(const Layout& layout, const Arena& gradients)
      : layout_(layout), gradients_(gradients) {}
  void OnMeasures(float loss, float accuracy) override {
    EXPECT_TRUE(kept.empty());
    measures = {loss, accuracy};
  }
  void OnTensor(size_t index) override {
    const Placement& placement = layout_.placements()[index];
    const float* const begin = gradients_.data() + layout_.global_offset(placement);
    const bool first =
        kept.try_emplace(index, begin, begin + placement.tensor.padded_size()).second;
    EXPECT_TRUE(first) << placement.tensor.name;
    order.push_back(placement.tensor.name);
  }

  std::pair<float, float> measures;
  std::map<size_t, std::vector<float>> kept;
  std::vector<std::string> order;

 private:
  const Layout& layout_;
  const Arena& gradients_;
};

TEST_F(GradientsTest, APassTellsOfEachTensorOnceItIsFinal) {
  for (const std::string model : {"convnet", "resnet20"}) {
    const auto factory = SmallFactory(model, 1, {3, 8, 8, 3});
    const auto network = factory();
    const auto layout = LayoutOf(*network, true, 2);
    const auto weights = InitialWeights(*network, *layout);
    const Examples examples = RandomExamples(8, 2, {3, 8, 8, 3});
    for (const Pass pass : {Pass::kClean, Pass::kAdversarial}) {
      Replica replica(factory(), layout, pass, &TestDevice());
      replica.BindWeights(weights);
      const auto untold = Filled(layout->total_size(), 0);
      ComputeGradients(replica, examples.images, examples.labels, 0.1F, untold);
      for (int i = 0; i < 2; ++i) {
        const auto gradients = Filled(layout->total_size(), 0);
        KeptTensors told(*layout, *gradients);
        const PassResult result = ComputeGradients(replica, examples.images, examples.labels, 0.1F,
                                                   gradients, GradientOf::kWeights, &told);
        EXPECT_EQ(told.measures, std::pair(result.loss, result.accuracy));
        EXPECT_TRUE(SameBits(*gradients, *untold)) << model;
        EXPECT_EQ(told.kept.size(), network->tensors().size()) << model;
        for (const auto& [index, values] : told.kept) {
          const float* const end =
              gradients->data() + layout->global_offset(layout->placements()[index]);
          EXPECT_EQ(std::memcmp(values.data(), end, values.size() * sizeof(float)), 0)
              << layout->placements()[index].tensor.name;
        }
        // Statistics first, then from the last layer on: what a push can leave with.
        const std::string last = told.order.back();
        EXPECT_TRUE(last.find("classify") == std::string::npos &&
                    last.find("fc") == std::string::npos)
            << last;
      }
    }
  }
}

TEST_F(GradientsTest, WhoComputesElsewhereTellsNothing) {
  CopyingDevice device;
  Replica replica(factory_(), layout_, Pass::kClean, &device);
  replica.BindWeights(weights_);
  const auto gradients = Filled(layout_->total_size(), 0);
  KeptTensors told(*layout_, *gradients);
  ComputeGradients(replica, examples_.images, examples_.labels, 0.1F, gradients,
                   GradientOf::kWeights, &told);
  EXPECT_TRUE(told.kept.empty());
}

TEST_F(GradientsTest, EqualPassesGiveEqualBits) {
  Replica replica = Make(Pass::kClean);
  Replica twin = Make(Pass::kClean);
  const auto first = Compute(replica, examples_);
  EXPECT_TRUE(SameBits(*Compute(replica, examples_), *first));
  EXPECT_TRUE(SameBits(*Compute(twin, examples_), *first));
}

TEST_F(GradientsTest, OtherWeightsAndExamplesInBetweenLeaveNoTrace) {
  Replica replica = Make(Pass::kAdversarial);
  const auto first = Compute(replica, examples_);
  auto other = Copy(*weights_);
  for (float& value : other->span()) value *= 0.5F;
  replica.BindWeights(other);
  EXPECT_FALSE(SameBits(*Compute(replica, RandomExamples(9, 4)), *first));
  replica.BindWeights(weights_);
  EXPECT_TRUE(SameBits(*Compute(replica, examples_), *first));
}

TEST_F(GradientsTest, AreTheSameBitsOnADeviceThatCopiesEverything) {
  CopyingDevice copying;
  for (const Pass pass : {Pass::kClean, Pass::kAdversarial}) {
    Replica here = Make(pass);
    Replica there(factory_(), layout_, pass, &copying);
    there.BindWeights(weights_);
    auto expected = Filled(layout_->total_size(), 55);
    auto actual = Filled(layout_->total_size(), 55);
    const PassResult result =
        ComputeGradients(here, examples_.images, examples_.labels, 0.1F, expected);
    EXPECT_EQ(ComputeGradients(there, examples_.images, examples_.labels, 0.1F, actual).loss,
              result.loss);
    EXPECT_TRUE(SameBits(*actual, *expected));
  }
}

TEST_F(GradientsTest, PassesInTwoThreadsGiveTheBitsOfPassesInOne) {
  AttackOptions options;
  options.step_size = 0.02F;
  options.epsilon = 0.02F;
  options.steps = 2;
  Replica clean = Make(Pass::kClean);
  Replica attack = Make(Pass::kAttack);
  const auto perturb = [&] {
    return MakeAdversarial(attack, examples_.images, examples_.labels, kSmallImages.classes,
                           options, 0, AttackSeed());
  };
  const auto gradients = Compute(clean, examples_);
  const torch::Tensor adversarial = perturb();

  constexpr int kRounds = 10;
  int different_gradients = 0;
  int different_images = 0;
  std::thread updates([&] {
    for (int i = 0; i < kRounds; ++i) {
      different_gradients += SameBits(*Compute(clean, examples_), *gradients) ? 0 : 1;
    }
  });
  for (int i = 0; i < kRounds; ++i) different_images += SameBits(perturb(), adversarial) ? 0 : 1;
  updates.join();
  EXPECT_EQ(different_gradients, 0);
  EXPECT_EQ(different_images, 0);
}

TEST_F(GradientsTest, RepeatedPassesKeepNothing) {
  Replica replica = Make(Pass::kClean);
  const auto references = weights_.use_count();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(Compute(replica, examples_).use_count(), 1);
    EXPECT_EQ(weights_.use_count(), references);
    EXPECT_EQ(examples_.images.use_count(), 1U);
  }
}

TEST_F(GradientsTest, ALossThatIsNotFiniteIsReturnedAsItIs) {
  InArena(*layout_, *weights_, "classify.bias")[0] = std::numeric_limits<float>::quiet_NaN();
  Replica replica = Make(Pass::kClean);
  auto gradients = Filled(layout_->total_size(), 0);
  EXPECT_TRUE(
      std::isnan(ComputeGradients(replica, examples_.images, examples_.labels, 0, gradients).loss));
}

}  // namespace
}  // namespace conadv
