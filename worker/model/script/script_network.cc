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

// What all networks of a factory share, and never changes: once on each device.
class Constants {
 public:
  torch::Tensor On(Device& device, const torch::Tensor& host) {
    torch::Tensor& placed = placed_[{&device, host.data_ptr()}];
    if (!placed.defined()) placed = device.PlaceConstant(host);
    return placed;
  }

 private:
  std::map<std::pair<const Device*, const void*>, torch::Tensor> placed_;
};

class ScriptNetwork final : public Network {
 public:
  ScriptNetwork(ScriptModule module, const ScriptTraits& traits, const PixelScale& scale,
                std::shared_ptr<Constants> frozen)
      : module_(std::move(module)),
        draws_(traits.draws_random_numbers),
        narrow_(traits.channels_last),
        frozen_(std::move(frozen)) {
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
    const torch::Tensor pixels = images * scale_ + shift_;
    // A copy: images of one channel are in either order as they are, and would be taken for the
    // other.
    return module_
        .forward({channels_last_ ? pixels.clone(torch::MemoryFormat::ChannelsLast)
                                 : pixels.contiguous()})
        .toTensor();
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  bool draws_random_numbers() const override { return draws_; }
  void SetTraining(bool training) override {
    training_ = training;
    conadv::SetTraining(module_, training);
  }
  void MoveTo(Device& device) override {
    for (const ModuleTensor& constant : TensorsOfModule(module_)) {
      if (constant.trains() || constant.statistic) continue;
      const bool shared = constant.parameter && constant.tensor.numel() > 0;
      torch::Tensor(constant.tensor)
          .set_data((shared ? frozen_->On(device, constant.tensor)
                            : device.PlaceConstant(constant.tensor))
                        .variable_data());
    }
    scale_ = device.PlaceConstant(scale_);
    shift_ = device.PlaceConstant(shift_);
    channels_last_ = narrow_ && device.type() == torch::kCPU;
  }

 private:
  // Asked for each time: a layer may put another tensor in its place.
  static torch::Tensor Counter(const ScriptModule& layer) {
    return layer.attr("num_batches_tracked").toTensor();
  }

  ScriptModule module_;
  const bool draws_;
  const bool narrow_;
  const std::shared_ptr<Constants> frozen_;
  bool training_ = false;
  std::map<std::string, ScriptModule> means_;  // BatchNorm layers that average over all batches
  bool channels_last_ = false;
  torch::Tensor scale_;
  torch::Tensor shift_;
  std::vector<NetworkTensor> tensors_;
};

}  // namespace

NetworkFactory ScriptFactory(ScriptModule module, ScriptTraits traits, const PixelScale& scale) {
  const auto master = std::make_shared<const ScriptModule>(std::move(module));
  const auto frozen = std::make_shared<Constants>();
  return [master, traits = std::move(traits), scale, frozen]() -> std::unique_ptr<Network> {
    ScriptModule copy = CopyOf(*master);
    const std::vector<ModuleTensor> own = TensorsOfModule(copy), shared = TensorsOfModule(*master);
    for (size_t i = 0; i < own.size(); ++i) {
      // A copy would be as large as the model for each pass of each lane.
      if (own[i].parameter && !own[i].trains()) {
        torch::Tensor(own[i].tensor).set_data(shared[i].tensor.variable_data());
      }
    }
    return std::make_unique<ScriptNetwork>(std::move(copy), traits, scale, frozen);
  };
}

}  // namespace conadv
