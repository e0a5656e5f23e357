// SPDX-License-Identifier: Apache-2.0
#include "worker/model/replica.h"

#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"

namespace conadv {
namespace {

bool Trains(Pass pass) { return pass == Pass::kClean || pass == Pass::kAdversarial; }
bool UsesAuxiliary(Pass pass) { return pass == Pass::kAttack || pass == Pass::kAdversarial; }

torch::Tensor View(float* data, size_t offset, const std::vector<int64_t>& shape) {
  return torch::from_blob(data + offset, shape, torch::kFloat32);
}

}  // namespace

Replica::Replica(std::unique_ptr<Network> network, std::shared_ptr<const Layout> layout, Pass pass)
    : network_(std::move(network)), layout_(std::move(layout)), pass_(pass) {
  network_->SetTraining(Trains(pass));
  absl::flat_hash_map<absl::string_view, const Placement*> placements;
  for (const Placement& placement : layout_->placements()) {
    placements[placement.tensor.name] = &placement;
  }
  for (const NetworkTensor& from : network_->tensors()) {
    auto found = UsesAuxiliary(pass) ? placements.find(AuxiliaryName(from.name)) : placements.end();
    if (found == placements.end()) found = placements.find(from.name);
    CHECK(found != placements.end()) << "the layout has no tensor " << from.name;
    const Placement& placement = *found->second;
    CHECK_EQ(static_cast<uint64_t>(from.tensor.numel()), placement.tensor.size()) << from.name;

    Binding binding;
    binding.tensor = from.tensor;
    binding.offset = layout_->global_offset(placement);
    binding.size = placement.tensor.size();
    binding.padded_size = placement.tensor.padded_size();
    binding.shape = from.tensor.sizes().vec();
    binding.statistic = from.statistic;
    binding.momentum = placement.tensor.momentum;
    if (from.statistic) {
      binding.own = from.tensor.detach().clone();
    } else {
      binding.tensor.set_requires_grad(Trains(pass));
    }
    bindings_.push_back(std::move(binding));
  }
}

void Replica::BindWeights(std::shared_ptr<const Arena> weights) {
  CHECK_EQ(weights->size(), layout_->total_size());
  // LibTorch has no tensor of constants. Nothing writes these: statistics move in training alone,
  // and then they are bound to the gradients.
  float* data = const_cast<float*>(weights->data());
  for (Binding& binding : bindings_) {
    if (binding.statistic && Trains(pass_)) continue;
    binding.tensor.set_data(View(data, binding.offset, binding.shape));
  }
  weights_ = std::move(weights);
}

void Replica::BindGradients(std::shared_ptr<Arena> gradients) {
  CHECK(Trains(pass_)) << "this pass makes no gradients";
  CHECK_EQ(gradients->size(), layout_->total_size());
  for (Binding& binding : bindings_) {
    // With its padding, which travels too.
    std::memset(gradients->data() + binding.offset, 0, binding.padded_size * sizeof(float));
    const torch::Tensor view = View(gradients->data(), binding.offset, binding.shape);
    if (binding.statistic) {
      binding.tensor.set_data(view);
    } else {
      binding.tensor.mutable_grad() = view;
    }
  }
  gradients_ = std::move(gradients);
}

void Replica::FinishGradients() {
  CHECK(gradients_ != nullptr) << "BindGradients comes first";
  for (Binding& binding : bindings_) {
    if (!binding.statistic) {
      binding.tensor.mutable_grad().reset();
      continue;
    }
    // The average moved from 0 to momentum · batch.
    float* values = gradients_->data() + binding.offset;
    for (size_t i = 0; i < binding.size; ++i) values[i] /= binding.momentum;
    binding.tensor.set_data(binding.own);
  }
  gradients_.reset();
}

torch::Tensor Replica::Forward(const torch::Tensor& images) { return network_->Forward(images); }

}  // namespace conadv
