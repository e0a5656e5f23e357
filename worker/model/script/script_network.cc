// SPDX-License-Identifier: Apache-2.0
#include "worker/model/script/script_network.h"

#include <torch/csrc/jit/runtime/graph_executor.h>

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "worker/model/script/module_tensors.h"

namespace conadv {
namespace {

class ScriptNetwork final : public Network {
 public:
  ScriptNetwork(ScriptModule module, const ScriptTraits& traits, const PixelScale& scale)
      : module_(std::move(module)), draws_(traits.draws_random_numbers) {
    for (const auto& layer : module_.named_modules()) {
      const auto known = traits.momentum.find(layer.name);
      if (known != traits.momentum.end() && known->second == 0) means_[layer.name] = layer.value;
    }
    absl::flat_hash_map<const void*, size_t> places;  // of tensors, by their memory
    for (const ModuleTensor& from : TensorsOfModule(module_)) {
      if (!from.trains() && !from.statistic) continue;
      const auto [known, first] = places.try_emplace(from.tensor.data_ptr(), tensors_.size());
      if (!first) {
        tensors_[known->second].twins.push_back(from.tensor);
        continue;
      }
      NetworkTensor tensor;
      tensor.name = from.name;
      tensor.tensor = from.tensor;
      tensor.batch_norm = from.batch_norm;
      tensor.statistic = from.statistic;
      // Biases and scales are left alone, as the large-batch recipes do.
      tensor.decays = from.parameter && !from.batch_norm && from.tensor.dim() > 1;
      if (from.statistic) {
        tensor.momentum = traits.momentum.at(from.layer);
        const auto mean = means_.find(from.layer);
        if (mean != means_.end()) tensor.batches = Counter(mean->second).item<int64_t>();
      }
      tensors_.push_back(std::move(tensor));
    }
    scale_ = torch::empty({1, static_cast<int64_t>(scale.mean.size()), 1, 1});
    shift_ = torch::empty_like(scale_);
    for (size_t c = 0; c < scale.mean.size(); ++c) {
      scale_.data_ptr<float>()[c] = 1 / scale.deviation[c];
      shift_.data_ptr<float>()[c] = -scale.mean[c] / scale.deviation[c];
    }
  }

  torch::Tensor Forward(const torch::Tensor& images) override {
    // Not optimised: what the first passes are compiled to is not what they computed, to the bit.
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    if (training_) {
      for (const auto& [name, layer] : means_) Counter(layer).zero_();
    }
    return module_.forward({images * scale_ + shift_}).toTensor();
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  bool draws_random_numbers() const override { return draws_; }
  void SetTraining(bool training) override {
    training_ = training;
    conadv::SetTraining(module_, training);
  }

 private:
  // Asked for each time: a layer may put another tensor in its place.
  static torch::Tensor Counter(const ScriptModule& layer) {
    return layer.attr("num_batches_tracked").toTensor();
  }

  ScriptModule module_;
  const bool draws_;
  bool training_ = false;
  std::map<std::string, ScriptModule> means_;  // BatchNorm layers that average over all batches
  torch::Tensor scale_;
  torch::Tensor shift_;
  std::vector<NetworkTensor> tensors_;
};

}  // namespace

NetworkFactory ScriptFactory(ScriptModule module, ScriptTraits traits, const PixelScale& scale) {
  const auto master = std::make_shared<const ScriptModule>(std::move(module));
  return [master, traits = std::move(traits), scale]() -> std::unique_ptr<Network> {
    ScriptModule copy = CopyOf(*master);
    const std::vector<ModuleTensor> own = TensorsOfModule(copy), shared = TensorsOfModule(*master);
    for (size_t i = 0; i < own.size(); ++i) {
      // A copy would be as large as the model for each pass of each lane.
      if (own[i].parameter && !own[i].trains()) {
        torch::Tensor(own[i].tensor).set_data(shared[i].tensor.variable_data());
      }
    }
    return std::make_unique<ScriptNetwork>(std::move(copy), traits, scale);
  };
}

}  // namespace conadv
