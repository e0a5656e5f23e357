// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "common/plan/tensor_rules.h"
#include "server/optimize/rule.h"
#include "server/optimize/tensor_update.h"

namespace conadv {
namespace {

// Where a tensor lies in a stream's sum; nullptr if the stream has no part in it.
const float* SumOf(const Aggregate& aggregate, const Range& range, const Placement& placement) {
  const Branch branch = placement.tensor.branch;
  const bool takes_part = branch == Branch::kShared || branch == aggregate.branch;
  if (aggregate.sum == nullptr || !takes_part) return nullptr;
  return aggregate.sum + (placement.offset - range.begin);
}

float ScaleOf(const Aggregate& aggregate, const TensorSpec& tensor) {
  if (aggregate.contributions == 0) return 0;
  const bool own = tensor.branch != Branch::kShared;
  const float weight = own ? aggregate.own_weight.value_or(aggregate.weight) : aggregate.weight;
  return weight / static_cast<float>(aggregate.contributions);
}

bool HasNoStream(const TensorUpdate& tensor) {
  return std::all_of(tensor.sum.begin(), tensor.sum.end(),
                     [](const float* sum) { return sum == nullptr; });
}

// Statistics are few and small: r + momentum · (mean − r), the mean over the contributions of all
// streams that have them.
void UpdateStatistic(const Update& update, const TensorUpdate& tensor, float momentum) {
  uint32_t contributions = 0;
  for (size_t s = 0; s < tensor.streams; ++s) {
    if (tensor.sum[s] != nullptr) contributions += update.streams[s].contributions;
  }
  for (size_t i = 0; i < tensor.size; ++i) {
    float sum = tensor.sum[0] != nullptr ? tensor.sum[0][i] : 0;
    for (size_t s = 1; s < tensor.streams; ++s) {
      if (tensor.sum[s] != nullptr) sum += tensor.sum[s][i];
    }
    const float running = tensor.weights[i];
    tensor.next[i] = running + momentum * (sum / static_cast<float>(contributions) - running);
  }
}

class ShardOptimizer final : public Optimizer {
 public:
  ShardOptimizer(const OptimizerOptions& options, std::unique_ptr<Rule> rule, const Layout& layout,
                 uint32_t shard, uint64_t updates_done)
      : rule_(std::move(rule)),
        clip_norm_(options.clip_norm),
        layout_(layout),
        shard_(shard),
        updates_(updates_done) {
    for (const size_t index : layout.tensors_of(shard)) {
      treatments_.push_back(TreatmentOf(options, layout.placements()[index].tensor));
    }
  }

  UpdateNorms Apply(const Update& update, float* next) override {
    rule_->Begin(++updates_);
    StreamNorms norms;
    const absl::Span<const size_t> indices = layout_.tensors_of(shard_);
    for (size_t i = 0; i < indices.size(); ++i) {
      const Placement& placement = layout_.placements()[indices[i]];
      const TensorUpdate tensor = Part(update, placement, treatments_[i], next);
      if (HasNoStream(tensor) || treatments_[i].frozen) {
        std::copy_n(tensor.weights, tensor.size, tensor.next);
      } else if (placement.tensor.kind == TensorKind::kStatistic) {
        UpdateStatistic(update, tensor, MomentumOf(placement.tensor));
      } else {
        const StreamNorms part =
            UpdateParameter(tensor, update.measured == nullptr ? nullptr : &(*update.measured)[i]);
        for (size_t stream = 0; stream < tensor.streams; ++stream) {
          norms.square[stream] += part.square[stream];
          norms.dot[stream] += part.dot[stream];
        }
      }
      std::fill(tensor.next + placement.tensor.size(), tensor.next + tensor.size, 0.0F);
    }
    return MeansOf(norms, update);
  }

  std::vector<Measured> MeasureGradient(const Update& update) const override {
    const absl::Span<const size_t> indices = layout_.tensors_of(shard_);
    std::vector<Measured> measured(indices.size());
    for (size_t i = 0; i < indices.size(); ++i) {
      const Placement& placement = layout_.placements()[indices[i]];
      if (placement.tensor.kind == TensorKind::kStatistic || treatments_[i].frozen) continue;
      const TensorUpdate tensor = Part(update, placement, treatments_[i], nullptr);
      if (!HasNoStream(tensor)) measured[i] = Measure(tensor);
    }
    return measured;
  }

  std::vector<StateTensor> state() override { return rule_->state(); }

  uint64_t state_bytes() const override {
    uint64_t bytes = 0;
    for (const StateTensor& tensor : rule_->state()) bytes += tensor.values.size() * sizeof(float);
    return bytes;
  }

 private:
  TensorUpdate Part(const Update& update, const Placement& placement,
                    const TensorTreatment& treatment, float* next) const {
    TensorUpdate tensor;
    tensor.offset = placement.offset;
    tensor.size = placement.tensor.padded_size();
    tensor.weight_decay = treatment.weight_decay;
    tensor.trust_ratio = treatment.trust_ratio;
    tensor.weights = update.weights + placement.offset;
    if (next != nullptr) tensor.next = next + placement.offset;
    tensor.streams = update.streams.size();
    for (size_t stream = 0; stream < tensor.streams; ++stream) {
      const Aggregate& aggregate = update.streams[stream];
      const Range range = layout_.branch_range(shard_, aggregate.branch);
      tensor.sum[stream] = SumOf(aggregate, range, placement);
      tensor.scale[stream] = ScaleOf(aggregate, placement.tensor);
    }
    if (update.used != nullptr) tensor.used = update.used + placement.offset;
    tensor.compensation = update.compensation;
    // Measured before any clipping.
    if (next != nullptr) tensor.gradient_scale = update.gradient_scale;
    tensor.rate = update.rate * update.step_scale;
    return tensor;
  }

  // From sums to means.
  static UpdateNorms MeansOf(const StreamNorms& norms, const Update& update) {
    const auto contributions = [&update](size_t stream) -> double {
      return std::max<uint32_t>(update.streams[stream].contributions, 1);
    };
    UpdateNorms means;
    for (size_t stream = 0; stream < update.streams.size(); ++stream) {
      means.norm[stream] = std::sqrt(norms.square[stream]) / contributions(stream);
      means.dot[stream] = norms.dot[stream] / (contributions(0) * contributions(stream));
    }
    return means;
  }

  // A mean of all batches is a moving average whose momentum falls: as torch.nn's BatchNorm with a
  // momentum of None, an update being a batch.
  float MomentumOf(const TensorSpec& statistic) const {
    if (statistic.momentum > 0) return statistic.momentum;
    return static_cast<float>(
        1 / (static_cast<double>(statistic.batches) + static_cast<double>(updates_)));
  }

  // A parameter's update: in one pass, or after a first one that measures, unless that was before.
  StreamNorms UpdateParameter(TensorUpdate tensor, const Measured* known) {
    if (known != nullptr) {
      rule_->Update(tensor, known);
      return known->streams;
    }
    if (clip_norm_ == 0 && !rule_->NeedsMeasured(tensor)) return rule_->Update(tensor, nullptr);
    const Measured measured = Measure(tensor);
    if (clip_norm_ > 0) tensor.gradient_scale = ClipScale(std::sqrt(measured.gradient), clip_norm_);
    rule_->Update(tensor, &measured);
    return measured.streams;
  }

  const std::unique_ptr<Rule> rule_;
  const float clip_norm_;
  const Layout& layout_;
  const uint32_t shard_;
  std::vector<TensorTreatment> treatments_;  // by rising offset, as layout.tensors_of
  uint64_t updates_;
};

struct RuleMaker {
  size_t arena_size;

  std::unique_ptr<Rule> operator()(const SgdOptions& o) const { return MakeSgd(o, arena_size); }
  std::unique_ptr<Rule> operator()(const LarsOptions& o) const { return MakeLars(o, arena_size); }
  std::unique_ptr<Rule> operator()(const AdamWOptions& o) const { return MakeAdamW(o, arena_size); }
  std::unique_ptr<Rule> operator()(const LambOptions& o) const { return MakeLamb(o, arena_size); }
};

}  // namespace

float ClipScale(double norm, float most) {
  return norm > most ? static_cast<float>(most / norm) : 1.0F;
}

std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options, const Layout& layout,
                                         uint32_t shard, uint64_t updates_done) {
  return std::make_unique<ShardOptimizer>(
      options, std::visit(RuleMaker{layout.arena_size(shard)}, options.rule), layout, shard,
      updates_done);
}

}  // namespace conadv
