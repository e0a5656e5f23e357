// SPDX-License-Identifier: Apache-2.0
#include "worker/model/network.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tests/worker/model/replicas.h"

namespace conadv {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::vector<std::string> Names(const std::vector<TensorSpec>& tensors) {
  std::vector<std::string> names;
  for (const TensorSpec& tensor : tensors) names.push_back(tensor.name);
  return names;
}

TEST(BuiltinTest, MakesLogitsOfEveryModelAndShape) {
  for (const char* builtin :
       {"mlp", "convnet", "resnet20", "resnet18", "resnet50", "preactresnet18"}) {
    for (const ImageShape& shape : {ImageShape{1, 28, 28, 10}, ImageShape{3, 33, 20, 7}}) {
      auto network = SmallFactory(builtin, 1, shape)();
      network->SetTraining(false);
      const Examples examples = RandomExamples(5, 7, shape);
      const torch::Tensor logits = network->Forward(examples.images);
      EXPECT_THAT(logits.sizes().vec(), ElementsAre(5, shape.classes)) << builtin;
      EXPECT_TRUE(logits.isfinite().all().item<bool>());
    }
  }
}

TEST(BuiltinTest, NoTwoTypesHaveOneName) {
  ModelOptions options;
  options.builtin = "resnet50";
  options.width = 1;
  const Model model = OpenModel(options, {}, kSmallImages, 1).value();
  std::set<std::string> names;
  size_t modules = 0;
  for (const ScriptModule& module : model.module.modules()) {
    names.insert(module.type()->name()->qualifiedName());
    ++modules;
  }
  EXPECT_GT(modules, 100);
  EXPECT_EQ(names.size(), modules);
}

TEST(BuiltinTest, RefusesUnknownModelsAndImagesThatAreTooSmall) {
  ModelOptions model;
  model.width = 4;
  model.builtin = "resnet";
  EXPECT_THAT(std::string(OpenModel(model, {}, kSmallImages, 1).status().message()),
              HasSubstr("model.builtin: there is no model \"resnet\""));
  model.builtin = "convnet";
  const absl::Status status = OpenModel(model, {}, ImageShape{1, 28, 3, 10}, 1).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("28x3"));
  model.builtin = "mlp";
  EXPECT_TRUE(OpenModel(model, {}, ImageShape{1, 28, 3, 10}, 1).ok());
}

TEST(BuiltinTest, InitialWeightsAreAFunctionOfTheSeed) {
  for (const char* builtin : {"mlp", "convnet"}) {
    auto network = SmallFactory(builtin, 3)();
    const auto layout = LayoutOf(*network, true);
    const auto weights = InitialWeights(*network, *layout);
    torch::manual_seed(99);  // LibTorch's own generator has no part in it
    EXPECT_TRUE(SameBits(*weights, *InitialWeights(*SmallFactory(builtin, 3)(), *layout)));
    EXPECT_FALSE(SameBits(*weights, *InitialWeights(*SmallFactory(builtin, 4)(), *layout)));
  }
}

TEST(BuiltinTest, InitialWeightsHaveHesVariance) {
  auto network = SmallFactory("mlp", 1, ImageShape{1, 100, 100, 10})();
  for (const NetworkTensor& tensor : network->tensors()) {
    if (tensor.name != "linear1.weight") continue;
    EXPECT_NEAR(tensor.tensor.var().item<float>(), 2.0 / 10000, 1e-5);
    EXPECT_NEAR(tensor.tensor.mean().item<float>(), 0, 1e-3);
  }
}

TEST(BuiltinTest, NormalisesPixels) {
  ModelOptions model;
  model.builtin = "mlp";
  model.width = 4;
  DatasetOptions plain;
  plain.mean = {0};
  plain.deviation = {1};
  auto network = SmallFactory("mlp")();
  auto reference = OpenModel(model, plain, kSmallImages, 1)->factory();
  const torch::Tensor images = RandomExamples(6).images;
  network->SetTraining(false);
  reference->SetTraining(false);
  EXPECT_TRUE(torch::allclose(network->Forward(images), reference->Forward((images - 0.25) / 0.5),
                              1e-4, 1e-5));
}

TEST(TensorsOfTest, MixtureAddsATwinOfEveryBatchNormTensorAtTheEnd) {
  auto network = SmallFactory("mlp")();
  const auto tensors = TensorsOf(*network, {Branch::kAuxiliary});
  EXPECT_THAT(
      Names(tensors),
      ElementsAre("linear1.weight", "norm1.weight", "norm1.bias", "norm1.running_mean",
                  "norm1.running_var", "linear2.weight", "norm2.weight", "norm2.bias",
                  "norm2.running_mean", "norm2.running_var", "classify.weight", "classify.bias",
                  "auxiliary.norm1.weight", "auxiliary.norm1.bias", "auxiliary.norm1.running_mean",
                  "auxiliary.norm1.running_var", "auxiliary.norm2.weight", "auxiliary.norm2.bias",
                  "auxiliary.norm2.running_mean", "auxiliary.norm2.running_var"));
  for (const TensorSpec& tensor : tensors) {
    const bool auxiliary = tensor.name.find("auxiliary.") == 0;
    const bool norm = tensor.name.find("norm") != std::string::npos;
    EXPECT_EQ(tensor.branch, auxiliary ? Branch::kAuxiliary
                             : norm    ? Branch::kMain
                                       : Branch::kShared)
        << tensor.name;
  }
}

TEST(TensorsOfTest, WithoutMixtureEveryTensorIsShared) {
  auto network = SmallFactory("convnet")();
  const auto tensors = TensorsOf(*network, {});
  EXPECT_EQ(tensors.size(), network->tensors().size());
  for (const TensorSpec& tensor : tensors) EXPECT_EQ(tensor.branch, Branch::kShared) << tensor.name;
}

TEST(TensorsOfTest, OnlyWeightsOutsideBatchNormDecayAndStatisticsHaveAMomentum) {
  for (const char* builtin : {"mlp", "convnet"}) {
    for (const TensorSpec& tensor : TensorsOf(*SmallFactory(builtin)(), {Branch::kAuxiliary})) {
      const bool statistic = tensor.name.find("running") != std::string::npos;
      const bool norm = tensor.name.find("norm") != std::string::npos;
      const bool bias = tensor.name.find("bias") != std::string::npos;
      EXPECT_EQ(tensor.kind, statistic      ? TensorKind::kStatistic
                             : norm || bias ? TensorKind::kNoDecay
                                            : TensorKind::kWeight)
          << tensor.name;
      EXPECT_FLOAT_EQ(tensor.momentum, statistic ? 0.1F : 0.0F) << tensor.name;
    }
  }
}

TEST(CopyInitialWeightsTest, FillsEveryPlaceOfEveryShard) {
  auto network = SmallFactory("convnet")();
  const auto layout = LayoutOf(*network, true, 3);
  auto weights = Filled(layout->total_size(), std::nanf(""));
  CopyInitialWeights(*network, *layout, weights->span());
  for (const float value : weights->span()) ASSERT_TRUE(std::isfinite(value));
  for (const NetworkTensor& tensor : network->tensors()) {
    EXPECT_TRUE(SameBits(InArena(*layout, *weights, tensor.name), tensor.tensor)) << tensor.name;
    if (!tensor.batch_norm) continue;
    EXPECT_TRUE(SameBits(InArena(*layout, *weights, BranchName(tensor.name, Branch::kAuxiliary)),
                         tensor.tensor));
  }
}

}  // namespace
}  // namespace conadv
