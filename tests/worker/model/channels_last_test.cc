// SPDX-License-Identifier: Apache-2.0
// In which order a CPU is given pixels: what decides, and that results do not.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/model/replicas.h"
#include "worker/model/builtin/builtin.h"
#include "worker/model/script/script_network.h"

namespace conadv {
namespace {

constexpr ImageShape kImages{3, 8, 8, 3};

bool ChannelsLast(const std::string& builtin, uint32_t width) {
  ModelOptions options;
  options.builtin = builtin;
  options.width = width;
  const ScriptModule module = MakeBuiltin(options, kImages, 1).value();
  return ProbeScript(module, kImages).value().channels_last;
}

// Eight convolutions from `channels` on, and `flat` in between.
ScriptModule Deep(int64_t channels, const std::string& flat) {
  const Layers make;
  Layers::Children children;
  std::string body;
  for (int i = 0; i < 8; ++i) {
    children.emplace_back(absl::StrCat("conv", i),
                          make.Conv2d({i == 0 ? kImages.channels : channels, channels, 3, 1, 1}));
    absl::StrAppend(&body, "  x = torch.relu(self.conv", i, ".forward(x))\n");
  }
  children.emplace_back("fc", make.Linear(channels * kImages.height * kImages.width, 3, true));
  ScriptModule module =
      make.New("Deep", children, absl::StrCat(body, "  return self.fc.forward(", flat, ")\n"));
  torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  for (torch::Tensor parameter : module.parameters()) parameter.normal_(0, 0.2);
  return module;
}

// The mean loss' gradients in a clean pass.
torch::Tensor GradientsOf(const ScriptModule& module, const ScriptTraits& traits) {
  const auto factory = ScriptFactory(module, traits, {{0}, {1}});
  const auto network = factory();
  const auto layout = LayoutOf(*network, false);
  Replica replica(factory(), layout, Pass::kClean, &TestDevice());
  replica.BindWeights(InitialWeights(*network, *layout));
  const auto gradients = Filled(layout->total_size(), 0);
  replica.BindGradients(gradients);
  replica.Forward(RandomExamples(4, 7, kImages).images).square().mean().backward();
  replica.FinishGradients();
  return torch::from_blob(gradients->data(), {static_cast<int64_t>(gradients->size())}).clone();
}

TEST(ChannelsLast, IsForDeepModelsThatBeginNarrow) {
  EXPECT_TRUE(ChannelsLast("resnet20", 16));
  EXPECT_TRUE(ChannelsLast("resnet18", 16));
  EXPECT_FALSE(ChannelsLast("resnet20", 32));
  EXPECT_FALSE(ChannelsLast("convnet", 16));
  EXPECT_FALSE(ChannelsLast("mlp", 16));
}

TEST(ChannelsLast, IsNotForAModuleThatTakesOneOrderAlone) {
  EXPECT_TRUE(ProbeScript(Deep(4, "torch.flatten(x, 1)"), kImages)->channels_last);
  EXPECT_FALSE(ProbeScript(Deep(4, "x.view([x.size(0), -1])"), kImages)->channels_last);
}

TEST(ChannelsLast, ChangesTheOrderOfSumsAndNothingElse) {
  const ScriptModule module = Deep(8, "torch.flatten(x, 1)");
  ScriptTraits traits = *ProbeScript(module, kImages);
  ASSERT_TRUE(traits.channels_last);
  const torch::Tensor last = GradientsOf(module, traits);
  EXPECT_TRUE(torch::equal(GradientsOf(module, traits), last));
  traits.channels_last = false;
  const torch::Tensor first = GradientsOf(module, traits);
  EXPECT_LT((last - first).norm().item<float>(), 1e-5 * first.norm().item<float>());
}

}  // namespace
}  // namespace conadv
