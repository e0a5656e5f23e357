// SPDX-License-Identifier: Apache-2.0
// Computes as another does, and rounds gradients to bfloat16 by chance, for runs that push them as
// such. The chance is a function of (seed, unit, stream, tensor, element) [I3]: a unit that is
// computed anew, anywhere, gives the same bits. (Error feedback, which remembers what rounding
// took, would make a gradient depend on what its worker did before.) Thread-safe as the other.
#ifndef CONADV_WORKER_COMPUTE_ROUNDED_COMPUTE_H_
#define CONADV_WORKER_COMPUTE_ROUNDED_COMPUTE_H_

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "common/job/streams.h"
#include "common/tensor/layout.h"
#include "worker/compute/unit_compute.h"

namespace conadv {

// The gradients of one unit's stream, tensor by tensor; statistics of a batch are not gradients,
// and are rounded as well.
class GradientRounder {
 public:
  // `gradients`: all shards' arenas. They and the layout outlive it.
  GradientRounder(uint64_t seed, const Layout& layout, const Unit& unit, StreamIndex stream,
                  Branch branch, Arena* gradients);
  // The tensor at that place of the layout's list, unless it was rounded already, or is not the
  // stream's.
  void Round(size_t placement);
  void RoundRest();

 private:
  const Layout& layout_;
  const Branch branch_;
  Arena* const gradients_;
  uint64_t key_;
  std::vector<bool> rounded_;  // by placement
};

class RoundedCompute final : public UnitCompute {
 public:
  // `exact` outlives it.
  RoundedCompute(uint64_t seed, std::shared_ptr<const Layout> layout, GradientStreams streams,
                 UnitCompute* exact);

  absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) override {
    return exact_->Load(unit);
  }
  absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::vector<std::shared_ptr<const Arena>> weights) override {
    return exact_->Attack(lane, unit, std::move(loaded), std::move(weights));
  }
  absl::StatusOr<std::optional<float>> AttackCosine(int lane, Unit unit, const UnitBatch& attacked,
                                                    std::shared_ptr<const Arena> weights) override {
    return exact_->AttackCosine(lane, unit, attacked, std::move(weights));
  }
  bool HasReplay(Unit unit) override { return exact_->HasReplay(unit); }
  void Forget() override { exact_->Forget(); }
  absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                    std::shared_ptr<const UnitBatch> batch,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients,
                                    PassProgress* progress) override;

 private:
  const uint64_t seed_;
  const std::shared_ptr<const Layout> layout_;
  const GradientStreams streams_;
  UnitCompute* const exact_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_ROUNDED_COMPUTE_H_
