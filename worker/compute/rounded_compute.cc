// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/rounded_compute.h"

#include <utility>

#include "common/base/random.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

void RoundGradients(uint64_t seed, const Layout& layout, const Unit& unit, StreamIndex stream,
                    Branch branch, Arena* gradients) {
  // One key of a unit's stream for all its tensors, each of which has its own numbers.
  Random random(seed, Purpose::kGradientRounding, unit.step.value(),
                static_cast<uint32_t>(unit.slot.value()));
  for (uint64_t i = 0; i < stream.value(); ++i) random.Next64();
  uint64_t key = random.Next64();
  for (const Placement& placement : layout.placements()) {
    const TensorSpec& tensor = placement.tensor;
    // In the model's order, wherever its shards lie.
    key += 0x9e3779b97f4a7c15;
    if (tensor.branch != Branch::kShared && tensor.branch != branch) continue;
    RoundByChance(key, gradients->span().subspan(layout.global_offset(placement), tensor.size()));
  }
}

RoundedCompute::RoundedCompute(uint64_t seed, std::shared_ptr<const Layout> layout,
                               GradientStreams streams, UnitCompute* exact)
    : seed_(seed), layout_(std::move(layout)), streams_(std::move(streams)), exact_(exact) {}

absl::StatusOr<PassMeasures> RoundedCompute::Pass(int lane, Unit unit, StreamIndex stream,
                                                  std::shared_ptr<const UnitBatch> batch,
                                                  std::shared_ptr<const Arena> weights,
                                                  std::shared_ptr<Arena> gradients) {
  absl::StatusOr<PassMeasures> measures =
      exact_->Pass(lane, unit, stream, std::move(batch), std::move(weights), gradients);
  if (measures.ok()) {
    RoundGradients(seed_, *layout_, unit, stream, streams_[stream.value()].branch, gradients.get());
  }
  return measures;
}

}  // namespace conadv
