// SPDX-License-Identifier: Apache-2.0
#include "worker/model/replica.h"

#include <algorithm>
#include <utility>

#include "absl/cleanup/cleanup.h"
#include "absl/container/flat_hash_map.h"
#include "absl/strings/string_view.h"
#include "glog/logging.h"
#include "worker/device/precision.h"

namespace conadv {
namespace {

bool Trains(Pass pass) {
  return pass == Pass::kClean || pass == Pass::kAugmented || pass == Pass::kAdversarial;
}
bool NormalisesOverBatch(Pass pass) { return Trains(pass) || pass == Pass::kAttackInBatch; }

Branch BranchOf(Pass pass) {
  switch (pass) {
    case Pass::kClean:
    case Pass::kEvaluate: break;
    case Pass::kAugmented: return Branch::kAugmented;
    case Pass::kAdversarial:
    case Pass::kAttack:
    case Pass::kAttackInBatch: return Branch::kAuxiliary;
  }
  return Branch::kMain;
}

// One tensor's part of `values`: their storage, no copy.
torch::Tensor View(const torch::Tensor& values, size_t offset, size_t size,
                   const std::vector<int64_t>& shape) {
  return values.narrow(0, static_cast<int64_t>(offset), static_cast<int64_t>(size))
      .view(shape)
      .variable_data();
}

class AfterAccumulation final : public torch::autograd::FunctionPostHook {
 public:
  explicit AfterAccumulation(std::function<void()> run) : run_(std::move(run)) {}
  torch::autograd::variable_list operator()(
      const torch::autograd::variable_list& outputs,
      const torch::autograd::variable_list& /*inputs*/) override {
    run_();
    return outputs;
  }

 private:
  const std::function<void()> run_;
};

// By rising offset, neighbours in one.
std::vector<ArenaRange> Merged(std::vector<ArenaRange> ranges) {
  std::sort(ranges.begin(), ranges.end(),
            [](const ArenaRange& a, const ArenaRange& b) { return a.offset < b.offset; });
  std::vector<ArenaRange> merged;
  for (const ArenaRange& range : ranges) {
    if (!merged.empty() && merged.back().offset + merged.back().size == range.offset) {
      merged.back().size += range.size;
    } else {
      merged.push_back(range);
    }
  }
  return merged;
}

}  // namespace

Pass TrainingPass(Branch branch) {
  switch (branch) {
    case Branch::kShared:
    case Branch::kMain: break;
    case Branch::kAuxiliary: return Pass::kAdversarial;
    case Branch::kAugmented: return Pass::kAugmented;
  }
  return Pass::kClean;
}

Replica::Replica(std::unique_ptr<Network> network, std::shared_ptr<const Layout> layout, Pass pass,
                 Device* device, Precision precision)
    : network_(std::move(network)),
      layout_(std::move(layout)),
      pass_(pass),
      device_(device),
      precision_(precision),
      listener_(std::make_unique<Listener>()) {
  network_->MoveTo(*device_);
  network_->SetTraining(NormalisesOverBatch(pass));
  absl::flat_hash_map<absl::string_view, size_t> placements;
  for (size_t i = 0; i < layout_->placements().size(); ++i) {
    placements[layout_->placements()[i].tensor.name] = i;
  }
  std::vector<ArenaRange> ranges;
  for (const NetworkTensor& from : network_->tensors()) {
    auto found = placements.find(BranchName(from.name, BranchOf(pass)));
    if (found == placements.end()) found = placements.find(from.name);
    CHECK(found != placements.end()) << "the layout has no tensor " << from.name;
    const Placement& placement = layout_->placements()[found->second];
    CHECK_EQ(static_cast<uint64_t>(from.tensor.numel()), placement.tensor.size()) << from.name;

    Binding binding;
    binding.tensors = {from.tensor};
    binding.tensors.insert(binding.tensors.end(), from.twins.begin(), from.twins.end());
    binding.placement = found->second;
    binding.offset = layout_->global_offset(placement);
    binding.size = placement.tensor.size();
    binding.shape = from.tensor.sizes().vec();
    binding.statistic = from.statistic;
    // A mean of all batches is the first of them: see Network::SetTraining.
    if (placement.tensor.momentum > 0) binding.part = placement.tensor.momentum;
    if (from.statistic) {
      binding.own = device_->Place(from.tensor.detach().clone());
    } else {
      for (torch::Tensor& tensor : binding.tensors) tensor.set_requires_grad(Trains(pass));
    }
    ranges.push_back({binding.offset, placement.tensor.padded_size()});
    bindings_.push_back(std::move(binding));
    if (Trains(pass) && !from.statistic) Listen(bindings_.size() - 1);
  }
  if (BranchOf(pass) == Branch::kAugmented) {
    // They lie in what the stream covers: see Layout::branch_range.
    for (const Placement& placement : layout_->placements()) {
      if (placement.tensor.branch != Branch::kAuxiliary) continue;
      ranges.push_back({layout_->global_offset(placement), placement.tensor.padded_size()});
    }
  }
  ranges_ = Merged(std::move(ranges));
}

void Replica::Listen(size_t index) {
  for (const torch::Tensor& tensor : bindings_[index].tensors) {
    accumulators_.push_back(torch::autograd::impl::grad_accumulator(tensor));
    accumulators_.back()->add_post_hook(std::make_unique<AfterAccumulation>(
        [listener = listener_.get(), index, placement = bindings_[index].placement] {
          if (listener->ready == nullptr) return;
          if (--listener->left[index] == 0) (*listener->ready)(placement);
        }));
  }
}

void Replica::BindWeights(std::shared_ptr<const Arena> weights) {
  CHECK_EQ(weights->size(), layout_->total_size());
  std::shared_ptr<const PlacedWeights> placed = device_->PlaceWeights(std::move(weights));
  for (Binding& binding : bindings_) {
    // Nothing writes to weights.
    if (binding.statistic && NormalisesOverBatch(pass_)) continue;
    for (torch::Tensor& tensor : binding.tensors) {
      tensor.set_data(View(placed->values(), binding.offset, binding.size, binding.shape));
    }
  }
  weights_ = std::move(placed);
}

void Replica::BindGradients(std::shared_ptr<Arena> gradients) {
  CHECK(Trains(pass_)) << "this pass makes no gradients";
  CHECK_EQ(gradients->size(), layout_->total_size());
  gradients_ = device_->OpenGradients(std::move(gradients), ranges_);
  finished_statistics_ = false;
  for (Binding& binding : bindings_) {
    const torch::Tensor view =
        View(gradients_->values(), binding.offset, binding.size, binding.shape);
    for (torch::Tensor& tensor : binding.tensors) {
      if (binding.statistic) {
        tensor.set_data(view);
      } else {
        tensor.mutable_grad() = view;
      }
    }
  }
}

void Replica::FinishStatistics() {
  if (std::exchange(finished_statistics_, true)) return;
  torch::NoGradGuard no_grad;
  for (const Binding& binding : bindings_) {
    if (!binding.statistic) continue;
    // The average moved from 0 to part · batch.
    View(gradients_->values(), binding.offset, binding.size, binding.shape).div_(binding.part);
  }
}

void Replica::Backward(const torch::Tensor& loss, const TensorReady& ready) {
  CHECK(gradients_ != nullptr) << "BindGradients comes first";
  FinishStatistics();
  if (ready == nullptr) return loss.backward();
  listener_->left.clear();
  for (const Binding& binding : bindings_) {
    listener_->left.push_back(binding.tensors.size());
    if (binding.statistic) ready(binding.placement);
  }
  listener_->ready = &ready;
  const absl::Cleanup unlisten = [this] { listener_->ready = nullptr; };
  loss.backward();
}

std::unique_ptr<GradientBuffer> Replica::FinishGradients() {
  CHECK(gradients_ != nullptr) << "BindGradients comes first";
  FinishStatistics();
  for (Binding& binding : bindings_) {
    for (torch::Tensor& tensor : binding.tensors) {
      if (binding.statistic) {
        tensor.set_data(binding.own);
      } else {
        tensor.mutable_grad().reset();
      }
    }
  }
  gradients_->StartCopy();
  return std::move(gradients_);
}

torch::Tensor Replica::Forward(const torch::Tensor& images) {
  const auto forward = [&] {
    return InPrecision(precision_, device_->type(), [&] { return network_->Forward(images); });
  };
  return network_->draws_random_numbers() ? device_->WithSeed(seed_, forward) : forward();
}

}  // namespace conadv
