// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/rounded_compute.h"

#include <utility>

#include "common/base/random.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

namespace {

// Tells of tensors once they are rounded.
class RoundedProgress final : public PassProgress {
 public:
  RoundedProgress(GradientRounder* rounder, PassProgress* to) : rounder_(rounder), to_(to) {}
  void OnMeasures(float loss, float accuracy) override { to_->OnMeasures(loss, accuracy); }
  void OnTensor(size_t placement) override {
    rounder_->Round(placement);
    to_->OnTensor(placement);
  }

 private:
  GradientRounder* const rounder_;
  PassProgress* const to_;
};

}  // namespace

GradientRounder::GradientRounder(uint64_t seed, const Layout& layout, const Unit& unit,
                                 StreamIndex stream, Branch branch, Arena* gradients)
    : layout_(layout),
      branch_(branch),
      gradients_(gradients),
      rounded_(layout.placements().size(), false) {
  // One key of a unit's stream for all its tensors, each of which has its own numbers.
  Random random(seed, Purpose::kGradientRounding, unit.step.value(),
                static_cast<uint32_t>(unit.slot.value()));
  for (uint64_t i = 0; i < stream.value(); ++i) random.Next64();
  key_ = random.Next64();
}

void GradientRounder::Round(size_t index) {
  const Placement& placement = layout_.placements()[index];
  const TensorSpec& tensor = placement.tensor;
  if (tensor.branch != Branch::kShared && tensor.branch != branch_) return;
  if (rounded_[index]) return;
  rounded_[index] = true;
  // By its place in the model's order, wherever its shards lie.
  RoundByChance(key_ + (index + 1) * 0x9e3779b97f4a7c15,
                gradients_->span().subspan(layout_.global_offset(placement), tensor.size()));
}

void GradientRounder::RoundRest() {
  for (size_t index = 0; index < rounded_.size(); ++index) Round(index);
}

RoundedCompute::RoundedCompute(uint64_t seed, std::shared_ptr<const Layout> layout,
                               GradientStreams streams, UnitCompute* exact)
    : seed_(seed), layout_(std::move(layout)), streams_(std::move(streams)), exact_(exact) {}

absl::StatusOr<PassMeasures> RoundedCompute::Pass(int lane, Unit unit, StreamIndex stream,
                                                  std::shared_ptr<const UnitBatch> batch,
                                                  std::shared_ptr<const Arena> weights,
                                                  std::shared_ptr<Arena> gradients,
                                                  PassProgress* progress) {
  GradientRounder rounder(seed_, *layout_, unit, stream, streams_[stream.value()].branch,
                          gradients.get());
  RoundedProgress rounded(&rounder, progress);
  absl::StatusOr<PassMeasures> measures =
      exact_->Pass(lane, unit, stream, std::move(batch), std::move(weights), gradients,
                   progress != nullptr ? &rounded : nullptr);
  if (measures.ok()) rounder.RoundRest();
  return measures;
}

}  // namespace conadv
