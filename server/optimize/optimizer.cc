// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/optimizer.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "common/plan/tensor_rules.h"
#include "common/thread/parallel_for.h"
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

// How much of a tensor is one thread's at a time: sums over it are added up in their order, so the
// bits do not depend on who took which.
constexpr size_t kPartElements = size_t{1} << 18;

class ShardOptimizer final : public Optimizer {
 public:
  ShardOptimizer(const OptimizerOptions& options, std::unique_ptr<Rule> rule, const Layout& layout,
                 uint32_t shard, uint64_t updates_done, ThreadPool* pool)
      : rule_(std::move(rule)),
        clip_norm_(options.clip_norm),
        layout_(layout),
        shard_(shard),
        // What one thread takes at a time is not worth another's waking up.
        pool_(layout.arena_size(shard) > kPartElements ? pool : nullptr),
        updates_(updates_done) {
    const absl::Span<const size_t> indices = layout.tensors_of(shard);
    for (size_t i = 0; i < indices.size(); ++i) {
      const TensorSpec& tensor = layout.placements()[indices[i]].tensor;
      treatments_.push_back(TreatmentOf(options, tensor));
      const size_t size = tensor.padded_size();
      const bool whole = tensor.kind == TensorKind::kStatistic || !rule_->TakesParts();
      const size_t most = whole ? size : kPartElements;
      for (size_t begin = 0; begin < size; begin += most) {
        pieces_.push_back({i, begin, std::min(most, size - begin)});
      }
    }
  }

  UpdateNorms Apply(const Update& update, float* next) override {
    rule_->Begin(++updates_);
    std::vector<TensorUpdate> tensors = TensorsOf(update, next);
    std::vector<Measured> found;
    const std::vector<Measured>* measured = update.measured;
    if (measured == nullptr && AnyNeedsMeasured(tensors)) {
      found = MeasureAll(tensors, [this](const TensorUpdate& tensor) { return Needs(tensor); });
      measured = &found;
      for (size_t i = 0; clip_norm_ > 0 && i < tensors.size(); ++i) {
        tensors[i].gradient_scale = ClipScale(std::sqrt(found[i].gradient), clip_norm_);
      }
    }
    std::vector<StreamNorms> norms(pieces_.size());
    ParallelFor(pool_, pieces_.size(), [&](size_t p) {
      const size_t i = pieces_[p].tensor;
      const bool known = measured != nullptr && (update.measured != nullptr || Needs(tensors[i]));
      norms[p] = UpdatePiece(update, tensors[i], pieces_[p], known ? &(*measured)[i] : nullptr);
    });
    StreamNorms sum;
    for (const StreamNorms& part : norms) sum += part;
    return MeansOf(sum, update);
  }

  std::vector<Measured> MeasureGradient(const Update& update) const override {
    return MeasureAll(TensorsOf(update, nullptr), [](const TensorUpdate&) { return true; });
  }

  std::vector<StateTensor> state() override { return rule_->state(); }

  uint64_t state_bytes() const override {
    uint64_t bytes = 0;
    for (const StateTensor& tensor : rule_->state()) bytes += tensor.values.size() * sizeof(float);
    return bytes;
  }

 private:
  // Of one tensor, as one thread takes it.
  struct Piece {
    size_t tensor = 0;  // its place in layout.tensors_of
    size_t begin = 0;   // elements, in the tensor
    size_t size = 0;
  };

  const Placement& PlacementOf(size_t tensor) const {
    return layout_.placements()[layout_.tensors_of(shard_)[tensor]];
  }
  // Whether it moves by the rule: statistics, frozen tensors and what no stream has do not.
  bool Moves(size_t tensor, const TensorUpdate& update) const {
    return PlacementOf(tensor).tensor.kind != TensorKind::kStatistic &&
           !treatments_[tensor].frozen && !HasNoStream(update);
  }
  bool Needs(const TensorUpdate& tensor) const {
    return clip_norm_ > 0 || rule_->NeedsMeasured(tensor);
  }
  bool AnyNeedsMeasured(const std::vector<TensorUpdate>& tensors) const {
    return std::any_of(tensors.begin(), tensors.end(),
                       [this](const TensorUpdate& tensor) { return Needs(tensor); });
  }

  std::vector<TensorUpdate> TensorsOf(const Update& update, float* next) const {
    std::vector<TensorUpdate> tensors;
    for (size_t i = 0; i < treatments_.size(); ++i) {
      tensors.push_back(WholeOf(update, PlacementOf(i), treatments_[i], next));
    }
    return tensors;
  }

  // By tensor; 0 for those that do not move, or are not wanted.
  template <class Wanted>
  std::vector<Measured> MeasureAll(const std::vector<TensorUpdate>& tensors,
                                   const Wanted& wanted) const {
    std::vector<Measured> parts(pieces_.size());
    ParallelFor(pool_, pieces_.size(), [&](size_t p) {
      const Piece& piece = pieces_[p];
      const TensorUpdate& tensor = tensors[piece.tensor];
      if (!Moves(piece.tensor, tensor) || !wanted(tensor)) return;
      parts[p] = Measure(PartOf(tensor, piece.begin, piece.size));
    });
    std::vector<Measured> measured(tensors.size());
    for (size_t p = 0; p < pieces_.size(); ++p) measured[pieces_[p].tensor] += parts[p];
    return measured;
  }

  // The streams' norms of the piece; `measured` has the whole tensor's, which then count with its
  // first piece.
  StreamNorms UpdatePiece(const Update& update, const TensorUpdate& tensor, const Piece& piece,
                          const Measured* measured) {
    const Placement& placement = PlacementOf(piece.tensor);
    const TensorUpdate part = PartOf(tensor, piece.begin, piece.size);
    StreamNorms norms;
    if (Moves(piece.tensor, tensor)) {
      norms = rule_->Update(part, measured);
      if (measured != nullptr && piece.begin == 0) norms = measured->streams;
    } else if (HasNoStream(tensor) || treatments_[piece.tensor].frozen) {
      std::copy_n(part.weights, part.size, part.next);
    } else {
      UpdateStatistic(update, part, MomentumOf(placement.tensor));
    }
    const size_t end = piece.begin + piece.size;
    if (end == tensor.size) {
      std::fill(tensor.next + placement.tensor.size(), tensor.next + end, 0.0F);
    }
    return norms;
  }

  TensorUpdate WholeOf(const Update& update, const Placement& placement,
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

  const std::unique_ptr<Rule> rule_;
  const float clip_norm_;
  const Layout& layout_;
  const uint32_t shard_;
  ThreadPool* const pool_;
  std::vector<TensorTreatment> treatments_;  // by rising offset, as layout.tensors_of
  std::vector<Piece> pieces_;                // likewise
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
                                         uint32_t shard, uint64_t updates_done, ThreadPool* pool) {
  return std::make_unique<ShardOptimizer>(
      options, std::visit(RuleMaker{layout.arena_size(shard)}, options.rule), layout, shard,
      updates_done, pool);
}

}  // namespace conadv
