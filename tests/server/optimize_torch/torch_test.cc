// SPDX-License-Identifier: Apache-2.0
// SGD and AdamW against LibTorch's own optimizers.
#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "gtest/gtest.h"
#include "server/optimize/optimizer.h"

namespace conadv {
namespace {

constexpr int64_t kSize = 1000;
constexpr int kSteps = 20;

std::vector<float> Gaussians(uint64_t a) {
  Random random(5, Purpose::kInitialWeights, a);
  std::vector<float> values(kSize);
  for (float& value : values) value = random.NextGaussian();
  return values;
}

// The weights after kSteps.
std::vector<float> Ours(const OptimizerOptions& options, float rate) {
  const Layout layout =
      Layout::Create({{"w", {kSize}, TensorKind::kWeight, Branch::kShared, 0}}, 1).value();
  const auto optimizer = MakeOptimizer(options, layout, 0, 0);
  auto weights = std::make_unique<Arena>(layout.arena_size(0));
  auto next = std::make_unique<Arena>(layout.arena_size(0));
  Arena sum(layout.arena_size(0));
  weights->Zero();
  sum.Zero();
  const std::vector<float> initial = Gaussians(0);
  std::copy(initial.begin(), initial.end(), weights->data());
  for (int step = 1; step <= kSteps; ++step) {
    const std::vector<float> gradient = Gaussians(step);
    std::copy(gradient.begin(), gradient.end(), sum.data());
    Update update;
    update.weights = weights->data();
    update.streams = {{sum.data(), 1, 1}};
    update.rate = rate;
    optimizer->Apply(update, next->data());
    std::swap(weights, next);
  }
  return {weights->data(), weights->data() + kSize};
}

template <class TorchOptimizer, class TorchOptions>
std::vector<float> Torchs(const TorchOptions& options) {
  torch::Tensor weights = torch::tensor(Gaussians(0)).requires_grad_();
  TorchOptimizer optimizer({weights}, options);
  for (int step = 1; step <= kSteps; ++step) {
    weights.mutable_grad() = torch::tensor(Gaussians(step));
    optimizer.step();
  }
  const torch::Tensor result = weights.detach();
  return {result.data_ptr<float>(), result.data_ptr<float>() + kSize};
}

// Relative to the value, or to 1 for values near 0: weights are of that size.
void ExpectNear(const std::vector<float>& ours, const std::vector<float>& torchs) {
  for (int64_t i = 0; i < kSize; ++i) {
    ASSERT_NEAR(ours[i], torchs[i], 1e-6 * std::max(1.0F, std::fabs(torchs[i]))) << i;
  }
}

torch::optim::SGDOptions SgdLike(const SgdOptions& options, float rate) {
  return torch::optim::SGDOptions(rate)
      .momentum(options.momentum)
      .nesterov(options.nesterov)
      .weight_decay(options.weight_decay);
}

TEST(TorchTest, SgdIsLibTorchs) {
  for (const SgdOptions& options :
       {SgdOptions{0, false, 0}, SgdOptions{0, false, 0.05F}, SgdOptions{0.9F, false, 0},
        SgdOptions{0.9F, false, 0.05F}, SgdOptions{0.9F, true, 0}, SgdOptions{0.9F, true, 0.05F}}) {
    SCOPED_TRACE(::testing::Message() << "momentum " << options.momentum << " nesterov "
                                      << options.nesterov << " decay " << options.weight_decay);
    ExpectNear(Ours({options, 0, 0, {}, {}}, 0.02F),
               Torchs<torch::optim::SGD>(SgdLike(options, 0.02F)));
  }
}

TEST(TorchTest, AdamWIsLibTorchs) {
  for (const AdamWOptions& options :
       {AdamWOptions{0.9F, 0.999F, 1e-8F, 0}, AdamWOptions{0.9F, 0.999F, 1e-8F, 0.1F},
        AdamWOptions{0.5F, 0.9F, 1e-3F, 0.1F}}) {
    SCOPED_TRACE(::testing::Message()
                 << "beta2 " << options.beta2 << " decay " << options.weight_decay);
    ExpectNear(Ours({options, 0, 0, {}, {}}, 0.02F),
               Torchs<torch::optim::AdamW>(torch::optim::AdamWOptions(0.02F)
                                               .betas({options.beta1, options.beta2})
                                               .eps(options.epsilon)
                                               .weight_decay(options.weight_decay)));
  }
}

}  // namespace
}  // namespace conadv
