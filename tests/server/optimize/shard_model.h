// SPDX-License-Identifier: Apache-2.0
// A small model on some shards, with random weights and sums of gradients, and its updates. Owned
// by one test.
#ifndef CONADV_TESTS_SERVER_OPTIMIZE_SHARD_MODEL_H_
#define CONADV_TESTS_SERVER_OPTIMIZE_SHARD_MODEL_H_

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "server/optimize/optimizer.h"

namespace conadv {

// Every kind in every branch, with sizes that need padding.
inline std::vector<TensorSpec> EveryTensor() {
  std::vector<TensorSpec> tensors;
  for (const Branch branch : {Branch::kShared, Branch::kMain, Branch::kAuxiliary}) {
    const std::string name = branch == Branch::kShared ? "shared"
                             : branch == Branch::kMain ? "main"
                                                       : "auxiliary";
    tensors.push_back({name + ".weight", {7, 13}, TensorKind::kWeight, branch, 0});
    tensors.push_back({name + ".bias", {37}, TensorKind::kNoDecay, branch, 0});
    tensors.push_back({name + ".mean", {5}, TensorKind::kStatistic, branch, 0.25F});
    tensors.push_back({name + ".mean_of_all", {3}, TensorKind::kStatistic, branch, 0, 2});
  }
  tensors.push_back({"linear.weight", {3, 50}, TensorKind::kWeight, Branch::kShared, 0});
  return tensors;
}

using Values = std::map<std::string, std::vector<float>>;  // by tensor

// Gaussian, a function of (tensor, what) alone: the same for any number of shards.
inline Values RandomValues(const std::vector<TensorSpec>& tensors, uint32_t what, float scale) {
  Values values;
  for (size_t t = 0; t < tensors.size(); ++t) {
    Random random(1, Purpose::kInitialWeights, t, what);
    std::vector<float>& tensor = values[tensors[t].name];
    for (size_t i = 0; i < tensors[t].size(); ++i) tensor.push_back(scale * random.NextGaussian());
  }
  return values;
}

// Everything that an update takes but the weights, by tensor.
struct Gradients {
  Values clean;
  Values adversarial;
  uint32_t clean_contributions = 4;
  uint32_t adversarial_contributions = 4;
  float clean_weight = 1;
  float adversarial_weight = 0.5F;
  bool has_clean = true;
  bool has_adversarial = true;
  float rate = 0.1F;
  float step_scale = 1;
  Values used;
  float compensation = 0;
};

inline Gradients RandomGradients(const std::vector<TensorSpec>& tensors, uint32_t step) {
  Gradients gradients;
  gradients.clean = RandomValues(tensors, 2 * step + 100, 4);
  gradients.adversarial = RandomValues(tensors, 2 * step + 101, 4);
  return gradients;
}

class ShardModel {
 public:
  ShardModel(std::vector<TensorSpec> tensors, uint32_t shards, const OptimizerOptions& options,
             uint64_t updates_done = 0, ThreadPool* pool = nullptr)
      : tensors_(tensors),
        layout_(Layout::Create(std::move(tensors), shards).value()),
        global_clip_norm_(options.global_clip_norm) {
    for (uint32_t shard = 0; shard < shards; ++shard) {
      optimizers_.push_back(MakeOptimizer(options, layout_, shard, updates_done, pool));
    }
    weights_ = RandomValues(tensors_, 1, 0.5F);
  }

  // Applies the update on every shard; the arenas it reads must not change.
  std::vector<UpdateNorms> Apply(const Gradients& gradients) {
    std::vector<Parts> parts;
    for (uint32_t shard = 0; shard < layout_.shards(); ++shard) {
      parts.push_back(PartsOf(gradients, shard));
    }
    if (global_clip_norm_ > 0) Clip(&parts);
    std::vector<UpdateNorms> norms;
    Values moved;
    for (uint32_t shard = 0; shard < layout_.shards(); ++shard) {
      Arena next(layout_.arena_size(shard));
      for (float& value : next.span()) value = 12345;
      norms.push_back(optimizers_[shard]->Apply(parts[shard].update, next.data()));
      reads_changed_ |= Take(*parts[shard].weights, shard) != Take(*Place(weights_, shard), shard);
      for (auto& [name, values] : Take(next, shard)) moved[name] = values;
    }
    weights_ = std::move(moved);
    return norms;
  }

  const std::vector<TensorSpec>& tensors() const { return tensors_; }
  const Layout& layout() const { return layout_; }
  Values& weights() { return weights_; }
  Optimizer& optimizer(uint32_t shard) { return *optimizers_[shard]; }
  bool padding_is_zero() const { return padding_is_zero_; }
  bool reads_changed() const { return reads_changed_; }

 private:
  // One shard's update, and what it refers to.
  struct Parts {
    std::unique_ptr<Arena> weights;
    std::unique_ptr<Arena> clean;
    std::unique_ptr<Arena> adversarial;
    std::unique_ptr<Arena> used;
    std::vector<Measured> measured;
    Update update;
  };

  Parts PartsOf(const Gradients& gradients, uint32_t shard) const {
    Parts parts{Place(weights_, shard),
                Place(gradients.clean, shard),
                Place(gradients.adversarial, shard),
                Place(gradients.used, shard),
                {},
                {}};
    const auto range = layout_.branch_range(shard, Branch::kAuxiliary);
    parts.update.weights = parts.weights->data();
    parts.update.streams = {
        {gradients.has_clean ? parts.clean->data() : nullptr, gradients.clean_weight,
         gradients.clean_contributions, Branch::kMain},
        {gradients.has_adversarial ? parts.adversarial->data() + range.begin : nullptr,
         gradients.adversarial_weight, gradients.adversarial_contributions, Branch::kAuxiliary}};
    parts.update.rate = gradients.rate;
    parts.update.step_scale = gradients.step_scale;
    parts.update.used = gradients.compensation > 0 ? parts.used->data() : nullptr;
    parts.update.compensation = gradients.compensation;
    return parts;
  }

  // As the shards do together.
  void Clip(std::vector<Parts>* parts) const {
    std::vector<double> squares(layout_.placements().size());
    for (uint32_t shard = 0; shard < layout_.shards(); ++shard) {
      Parts& part = (*parts)[shard];
      part.measured = optimizers_[shard]->MeasureGradient(part.update);
      const auto tensors = layout_.tensors_of(shard);
      for (size_t t = 0; t < tensors.size(); ++t) squares[tensors[t]] = part.measured[t].gradient;
    }
    double sum = 0;
    for (const double square : squares) sum += square;
    for (Parts& part : *parts) {
      part.update.measured = &part.measured;
      part.update.gradient_scale = ClipScale(std::sqrt(sum), global_clip_norm_);
    }
  }

  std::unique_ptr<Arena> Place(const Values& values, uint32_t shard) const {
    auto arena = std::make_unique<Arena>(layout_.arena_size(shard));
    arena->Zero();
    for (const size_t index : layout_.tensors_of(shard)) {
      const Placement& placement = layout_.placements()[index];
      const auto found = values.find(placement.tensor.name);
      if (found == values.end()) continue;
      std::copy(found->second.begin(), found->second.end(), arena->data() + placement.offset);
    }
    return arena;
  }

  Values Take(const Arena& arena, uint32_t shard) {
    Values values;
    for (const size_t index : layout_.tensors_of(shard)) {
      const Placement& placement = layout_.placements()[index];
      const float* begin = arena.data() + placement.offset;
      values[placement.tensor.name].assign(begin, begin + placement.tensor.size());
      for (size_t i = placement.tensor.size(); i < placement.tensor.padded_size(); ++i) {
        padding_is_zero_ &= begin[i] == 0;
      }
    }
    return values;
  }

  std::vector<TensorSpec> tensors_;
  Layout layout_;
  const float global_clip_norm_;
  std::vector<std::unique_ptr<Optimizer>> optimizers_;
  Values weights_;
  bool padding_is_zero_ = true;
  bool reads_changed_ = false;
};

// All rules, with settings that use every term.
inline std::map<std::string, OptimizerOptions> EveryRule() {
  return {{"sgd_plain", {SgdOptions{0, false, 0.01F}, 0, 0, {}, {}}},
          {"sgd_momentum", {SgdOptions{0.9F, false, 0.01F}, 0, 0, {}, {}}},
          {"sgd_nesterov", {SgdOptions{0.9F, true, 0.01F}, 0, 0, {}, {}}},
          {"lars", {LarsOptions{0.02F, 0.9F, 0.01F}, 0, 0, {}, {}}},
          {"adamw", {AdamWOptions{0.9F, 0.99F, 1e-6F, 0.1F}, 0, 0, {}, {}}},
          {"lamb", {LambOptions{0.9F, 0.99F, 1e-6F, 0.1F}, 0, 0, {}, {}}}};
}

inline std::vector<std::string> RuleNames() {
  std::vector<std::string> names;
  for (const auto& [name, rule] : EveryRule()) names.push_back(name);
  return names;
}

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_OPTIMIZE_SHARD_MODEL_H_
