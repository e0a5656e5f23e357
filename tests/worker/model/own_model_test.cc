// SPDX-License-Identifier: Apache-2.0
// People's own TorchScript modules as models.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "tests/support/temp_dir.h"
#include "tests/worker/device/devices.h"
#include "tests/worker/model/replicas.h"
#include "worker/model/script/script_network.h"
#include "worker/model/source/export_model.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kClassify[] =
    "  return self.fc.forward(torch.flatten(torch.adaptive_avg_pool2d(x, [1, 1]), 1))\n";

using Children = Layers::Children;

// A layer that normalises as torch.nn's do.
ScriptModule Normalise(const std::string& momentum, bool affine = true) {
  ScriptModule norm = Layers().New("BatchNorm2d");
  if (affine) {
    norm.register_parameter("weight", torch::ones({4}).set_requires_grad(true), false);
    norm.register_parameter("bias", torch::zeros({4}).set_requires_grad(true), false);
  }
  norm.register_buffer("running_mean", torch::zeros({4}));
  norm.register_buffer("running_var", torch::ones({4}));
  norm.register_buffer("num_batches_tracked", torch::zeros({}, torch::kInt64));
  const std::string scale = affine ? "self.weight, self.bias" : "None, None";
  norm.define(absl::StrCat("def forward(self, x):\n  return torch.batch_norm(x, ", scale,
                           ", self.running_mean, self.running_var, self.training, ", momentum,
                           ", 1e-5, True)\n"));
  return norm;
}

// The same with a momentum of None, after `batches`.
ScriptModule MeanOfAll(int64_t batches) {
  ScriptModule norm = Layers().New("BatchNorm2d");
  for (const auto& buffer : Normalise("0.1").named_buffers()) {
    norm.register_buffer(buffer.name, buffer.value);
  }
  norm.attr("num_batches_tracked").toTensor().fill_(batches);
  norm.define(R"(
def forward(self, x):
  factor = 0.0
  if self.training:
    self.num_batches_tracked.add_(1)
    factor = 1.0 / float(self.num_batches_tracked)
  return torch.batch_norm(x, None, None, self.running_mean, self.running_var, self.training, factor, 1e-5, True)
)");
  return norm;
}

// Images of kSmallImages; 4 channels inside.
ScriptModule Net(Children more = {}, const std::string& body = "") {
  Children children = {{"conv", Layers().Conv2d({1, 4, 3, 1, 1})},
                       {"fc", Layers().Linear(4, 3, true)}};
  for (auto& child : more) children.push_back(std::move(child));
  ScriptModule net =
      Layers().New("Net", children, absl::StrCat("  x = self.conv.forward(x)\n", body, kClassify));
  torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  for (torch::Tensor parameter : net.parameters()) parameter.normal_(0, 0.3);
  return net;
}

class OwnModelTest : public ::testing::Test {
 protected:
  absl::StatusOr<Model> Open(const ScriptModule& module, const ImageShape& shape = kSmallImages) {
    module.save(path_);
    return OpenFile(shape);
  }
  absl::StatusOr<Model> OpenFile(const ImageShape& shape = kSmallImages) {
    ModelOptions options;
    options.torchscript = path_;
    return OpenModel(options, DatasetOptions(), shape, 1);
  }
  std::string ErrorOf(const ScriptModule& module, const ImageShape& shape = kSmallImages) {
    const absl::Status status = Open(module, shape).status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    return std::string(status.message());
  }

  // One training pass.
  std::shared_ptr<Arena> Train(const Model& model, const std::shared_ptr<const Layout>& layout,
                               const std::shared_ptr<Arena>& weights, uint64_t seed = 1,
                               Device& device = TestDevice()) {
    Replica replica(model.factory(), layout, Pass::kClean, &device);
    replica.BindWeights(weights);
    replica.SetSeed(seed);
    auto gradients = Filled(layout->total_size(), 0);
    replica.BindGradients(gradients);
    replica.Forward(examples_.images).square().sum().backward();
    replica.FinishGradients();
    return gradients;
  }

  const TempDir directory_;
  const std::string path_ = directory_ / "net.pt";
  const Examples examples_ = RandomExamples(16);
};

TEST_F(OwnModelTest, BeginsWithTheFilesWeightsAndKeepsTheirNames) {
  const ScriptModule net = Net();
  const Model model = Open(net).value();
  const auto network = model.factory();
  const auto layout = LayoutOf(*network, true);
  const auto weights = InitialWeights(*network, *layout);
  for (const auto& parameter : net.named_parameters()) {
    EXPECT_TRUE(SameBits(InArena(*layout, *weights, parameter.name), parameter.value.detach()))
        << parameter.name;
  }
  EXPECT_NE(model.fingerprint, 0U);
  network->SetTraining(false);
  ScriptModule copy = net;
  EXPECT_TRUE(
      SameBits(network->Forward(examples_.images), copy.forward({examples_.images}).toTensor()));
}

TEST_F(OwnModelTest, AnotherFileHasAnotherFingerprint) {
  const uint64_t one = Open(Net()).value().fingerprint;
  EXPECT_EQ(Open(Net()).value().fingerprint, one);
  EXPECT_NE(Open(Net({}, "  x = torch.tanh(x)\n")).value().fingerprint, one);
}

TEST_F(OwnModelTest, WhatDoesNotTrainIsOnTheDeviceToo) {
  ScriptModule shift = Layers().New("Shift");
  shift.register_buffer("by", torch::full({1, 4, 1, 1}, 0.25F));
  shift.define("def forward(self, x):\n  return x + self.by\n");
  ScriptModule net = Net({{"norm", Layers().BatchNorm(4)}, {"shift", shift}},
                         "  x = self.shift.forward(self.norm.forward(x))\n");
  net.attr("conv").toModule().attr("weight").toTensor().set_requires_grad(false);
  const Model model = Open(net).value();
  const auto network = model.factory();
  const auto layout = LayoutOf(*network, true);
  const auto weights = InitialWeights(*network, *layout);
  const auto expected = Train(model, layout, weights);
  for (const char* name : {"copying", "accelerator"}) {
    const auto device = OpenTestDevice(name).value();
    EXPECT_TRUE(SameBits(*Train(model, layout, weights, 1, *device), *expected)) << name;
    // Every lane's.
    EXPECT_TRUE(SameBits(*Train(model, layout, weights, 1, *device), *expected)) << name;
  }
  EXPECT_TRUE(SameBits(*Train(model, layout, weights), *expected));
}

TEST_F(OwnModelTest, FrozenParametersStayAndAreNotTrained) {
  ScriptModule net = Net();
  net.attr("conv").toModule().attr("weight").toTensor().set_requires_grad(false);
  const auto network = Open(net).value().factory();
  std::vector<std::string> names;
  for (const NetworkTensor& tensor : network->tensors()) names.push_back(tensor.name);
  EXPECT_THAT(names, ElementsAre("fc.weight", "fc.bias"));
}

TEST_F(OwnModelTest, AParameterWithTwoNamesIsOneTensorWhoseGradientsAddUp) {
  ScriptModule net = Net({{"again", Layers().Conv2d({1, 4, 3, 1, 1})}});
  net.attr("again").toModule().setattr("weight", net.attr("conv").toModule().attr("weight"));
  const std::string body = "  x = self.conv.forward(x) + self.again.forward(torch.flip(x, [2]))\n";
  ScriptModule tied = Layers().New("Tied",
                                   {{"conv", net.attr("conv").toModule()},
                                    {"again", net.attr("again").toModule()},
                                    {"fc", net.attr("fc").toModule()}},
                                   absl::StrCat(body, kClassify));
  const Model model = Open(tied).value();
  const auto network = model.factory();
  const auto layout = LayoutOf(*network, false);
  EXPECT_EQ(layout->placements().size(), 3U);
  const auto weights = InitialWeights(*network, *layout);
  const auto gradients = Train(model, layout, weights);

  const torch::Tensor weight =
      InArena(*layout, *weights, "conv.weight").clone().set_requires_grad(true);
  const torch::Tensor fc = InArena(*layout, *weights, "fc.weight");
  const torch::Tensor bias = InArena(*layout, *weights, "fc.bias");
  const torch::Tensor& x = examples_.images;
  const torch::Tensor inner =
      torch::conv2d(x, weight, {}, 1, 1) + torch::conv2d(x.flip({2}), weight, {}, 1, 1);
  torch::linear(inner.mean({2, 3}), fc, bias).square().sum().backward();
  EXPECT_TRUE(
      torch::allclose(InArena(*layout, *gradients, "conv.weight"), weight.grad(), 1e-4, 1e-5));
}

TEST_F(OwnModelTest, MixtureNeedsNothingOfTheModel) {
  for (const char* momentum : {"0.1", "0.9", "0.125", "0.003", "1.0"}) {
    for (const bool affine : {true, false}) {
      const Model model =
          Open(Net({{"bn", Normalise(momentum, affine)}}, "  x = self.bn.forward(x)\n")).value();
      const auto tensors = TensorsOf(*model.factory(), {Branch::kAuxiliary});
      EXPECT_EQ(tensors.size(), affine ? 3 + 4 + 4 : 3 + 2 + 2);
      for (const TensorSpec& tensor : tensors) {
        if (tensor.kind != TensorKind::kStatistic) continue;
        EXPECT_FLOAT_EQ(tensor.momentum, std::stof(momentum)) << tensor.name;
      }
    }
  }
}

TEST_F(OwnModelTest, WhatItDrawsIsAFunctionOfTheSeed) {
  const Model model = Open(Net({}, "  x = torch.dropout(x, 0.5, self.training)\n")).value();
  const auto network = model.factory();
  EXPECT_TRUE(network->draws_random_numbers());
  EXPECT_FALSE(Open(Net()).value().factory()->draws_random_numbers());
  const auto layout = LayoutOf(*network, true);
  const auto weights = InitialWeights(*network, *layout);
  const auto once = Train(model, layout, weights, 7);
  torch::rand({5});  // nobody else's numbers have a part in it
  EXPECT_TRUE(SameBits(*once, *Train(model, layout, weights, 7)));
  EXPECT_FALSE(SameBits(*once, *Train(model, layout, weights, 8)));
}

TEST_F(OwnModelTest, EveryPassOfOneModelIsTheSameBits) {
  const Model model =
      Open(Net({{"bn", Normalise("0.1")}}, "  x = torch.relu(self.bn.forward(x)) * 1.1 + x\n"))
          .value();
  const auto layout = LayoutOf(*model.factory(), true);
  const auto weights = InitialWeights(*model.factory(), *layout);
  const auto first = Train(model, layout, weights);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(SameBits(*first, *Train(model, layout, weights)));
}

TEST_F(OwnModelTest, WhatIsNotTorchScriptIsRefusedInWords) {
  EXPECT_EQ(OpenFile().status().code(), absl::StatusCode::kNotFound);
  const auto refuse = [this](const std::string& bytes) {
    WriteFile(path_, bytes);
    const absl::Status status = OpenFile().status();
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
    EXPECT_THAT(std::string(status.message()), HasSubstr(path_));
    return std::string(status.message());
  };
  EXPECT_THAT(refuse(""), HasSubstr("is not a TorchScript archive"));
  EXPECT_THAT(refuse("class Net: pass"), HasSubstr("is not a TorchScript archive"));
  EXPECT_THAT(refuse(std::string("PK\x03\x04") + std::string(200, 'x')), HasSubstr("no code"));
  Net().save(path_);
  const std::string whole = ReadFile(path_);
  for (const size_t size : {whole.size() - 1, whole.size() / 2}) {
    EXPECT_THAT(refuse(whole.substr(0, size)),
                ::testing::AnyOf(HasSubstr("is damaged"), HasSubstr("no code")));
  }
}

TEST_F(OwnModelTest, WhatDoesNotFitTheDataIsRefusedInWords) {
  EXPECT_THAT(ErrorOf(Net(), {3, 8, 8, 3}), HasSubstr("images of the shape [4, 3, 8, 8]"));
  EXPECT_THAT(ErrorOf(Net(), {1, 8, 8, 10}), HasSubstr("3 classes apart; the data set has 10"));
  EXPECT_THAT(ErrorOf(Layers().New("Two", {{"fc", Layers().Linear(8, 3, true)}},
                                   "  y = self.fc.forward(x)\n  return y, y\n")),
              HasSubstr("not one tensor of logits"));
  EXPECT_THAT(ErrorOf(Layers().New("Rows", {{"fc", Layers().Linear(8, 3, true)}},
                                   "  return self.fc.forward(x)\n")),
              HasSubstr("it returns the shape [4, 1, 8, 3]"));
}

TEST_F(OwnModelTest, WhatCannotBeTrainedIsRefusedInWords) {
  ScriptModule wide = Net();
  wide.to(torch::kFloat64);
  EXPECT_THAT(ErrorOf(wide), HasSubstr("conadv trains float32"));
  ScriptModule still = Net();
  for (torch::Tensor parameter : still.parameters()) parameter.set_requires_grad(false);
  EXPECT_THAT(ErrorOf(still), HasSubstr("no parameter that trains"));
}

TEST_F(OwnModelTest, AModeThatTracingWroteDownIsRefusedInWords) {
  for (const char* mode : {"True", "False"}) {
    ScriptModule norm = Normalise("0.1");
    ScriptModule traced = Layers().New("BatchNorm2d");
    for (const auto& parameter : norm.named_parameters()) {
      traced.register_parameter(parameter.name, parameter.value, false);
    }
    for (const auto& buffer : norm.named_buffers()) {
      traced.register_buffer(buffer.name, buffer.value);
    }
    traced.define(
        absl::StrCat("def forward(self, x):\n  return torch.batch_norm(x, self.weight, "
                     "self.bias, self.running_mean, self.running_var, ",
                     mode, ", 0.1, 1e-5, True)\n"));
    EXPECT_THAT(ErrorOf(Net({{"bn", traced}}, "  x = self.bn.forward(x)\n")),
                HasSubstr("torch.jit.script keeps both modes"));
  }
}

TEST_F(OwnModelTest, APassOfAMeanOfAllBatchesHasItsOwnBatchAlone) {
  const Model model = Open(Net({{"bn", MeanOfAll(7)}}, "  x = self.bn.forward(x)\n")).value();
  const auto network = model.factory();
  const auto layout = LayoutOf(*network, true);
  for (const char* name : {"bn.running_mean", "auxiliary.bn.running_var"}) {
    EXPECT_EQ(PlacementOf(*layout, name).tensor.momentum, 0) << name;
    EXPECT_EQ(PlacementOf(*layout, name).tensor.batches, 7) << name;
  }
  const auto weights = InitialWeights(*network, *layout);
  const torch::Tensor inner =
      torch::conv2d(examples_.images, InArena(*layout, *weights, "conv.weight"), {}, 1, 1);
  Replica replica(model.factory(), layout, Pass::kClean, &TestDevice());
  replica.BindWeights(weights);
  for (int pass = 0; pass < 2; ++pass) {
    auto gradients = Filled(layout->total_size(), 0);
    replica.BindGradients(gradients);
    replica.Forward(examples_.images).square().sum().backward();
    replica.FinishGradients();
    EXPECT_TRUE(torch::allclose(InArena(*layout, *gradients, "bn.running_mean"),
                                inner.mean({0, 2, 3}), 1e-4, 1e-5));
    EXPECT_TRUE(torch::allclose(InArena(*layout, *gradients, "bn.running_var"),
                                inner.var({0, 2, 3}), 1e-4, 1e-5));
  }
}

TEST_F(OwnModelTest, AMeanOfAllBatchesThatCannotBeCountedIsRefusedInWords) {
  EXPECT_THAT(
      ErrorOf(Net({{"bn", MeanOfAll(0)}}, "  x = self.bn.forward(x)\n  x = self.bn.forward(x)\n")),
      HasSubstr("takes 2 in one pass"));
  EXPECT_THAT(ErrorOf(Net({{"bn", MeanOfAll(-1)}}, "  x = self.bn.forward(x)\n")),
              HasSubstr("bn.num_batches_tracked is negative"));
}

TEST_F(OwnModelTest, WhatIsExportedHasCountedAnUpdateAsABatch) {
  const Model model = Open(Net({{"mean", MeanOfAll(7)}, {"bn", Normalise("0.1")}},
                               "  x = self.bn.forward(self.mean.forward(x))\n"))
                          .value();
  const auto network = model.factory();
  const auto layout = LayoutOf(*network, false);
  const auto weights = InitialWeights(*network, *layout);
  ASSERT_TRUE(
      ExportModel(model.module, *layout, weights->span(), Version(5), path_, FileSystem::Real())
          .ok());
  const ScriptModule trained = torch::jit::load(path_);
  const auto counted = [&trained](const char* layer) {
    return trained.attr(layer).toModule().attr("num_batches_tracked").toTensor().item<int64_t>();
  };
  EXPECT_EQ(counted("mean"), 12);
  EXPECT_EQ(counted("bn"), 5);
}

TEST_F(OwnModelTest, ABufferThatMovesAndIsNoStatisticIsRefusedInWords) {
  ScriptModule counts = Layers().New("Counts");
  counts.register_buffer("seen", torch::zeros({1}));
  counts.define("def forward(self, x):\n  if self.training:\n    self.seen.add_(1)\n  return x\n");
  EXPECT_THAT(ErrorOf(Net({{"counts", counts}}, "  x = self.counts.forward(x)\n")),
              HasSubstr("counts.seen moves while it trains"));
}

TEST_F(OwnModelTest, WhatAModuleKeepsForItselfIsRefusedInWords) {
  ScriptModule average = Layers().New("Average");
  average.register_buffer("mean", torch::zeros({1}));
  average.define(
      "def forward(self, x):\n  if self.training:\n    self.mean = self.mean * 0.9 + 0.1\n"
      "  return x\n");
  EXPECT_THAT(ErrorOf(Net({{"average", average}}, "  x = self.average.forward(x)\n")),
              HasSubstr("average.mean moves while it trains"));
  ScriptModule clamps = Layers().Linear(8, 8, false);
  clamps.define(
      "def clamped(self, x):\n  if self.training:\n    self.weight.detach().add_(0.01)\n"
      "  return torch.linear(x, self.weight, None)\n");
  EXPECT_THAT(ErrorOf(Net({{"clamps", clamps}}, "  x = self.clamps.clamped(x)\n")),
              HasSubstr("clamps.weight moves while it trains"));
}

TEST_F(OwnModelTest, TensorsThatShareAPartOfTheirMemoryAreRefusedInWords) {
  ScriptModule net = Net({{"again", Layers().Conv2d({1, 4, 3, 1, 1})}},
                         "  x = x + self.again.weight[0, 0, 0, 0]\n");
  const torch::Tensor both = torch::rand({8, 1, 3, 3});
  const auto view = [&](int64_t begin) {
    return both.narrow(0, begin, 4).detach().set_requires_grad(true);
  };
  net.attr("conv").toModule().setattr("weight", view(0));
  net.attr("again").toModule().setattr("weight", view(4));
  EXPECT_THAT(ErrorOf(net), HasSubstr("conv.weight and again.weight share their memory"));
}

}  // namespace
}  // namespace conadv
