// SPDX-License-Identifier: Apache-2.0
// A unit's examples and passes, as the pipeline asks for them; an interface, so that its tests need
// no LibTorch. Lanes at once, one call at a time in each.
#ifndef CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_
#define CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/tensor/arena.h"
#include "worker/compute/pass_progress.h"

namespace conadv {

// Examples of one unit, as they were loaded or as the attack left them; what is in it is the
// implementation's business.
struct UnitBatch;

// Of a pass over a slot, or over the part of it that is the stream's.
struct PassMeasures {
  float loss = 0;                  // mean
  float accuracy = 0;              // fraction
  uint32_t attacked_examples = 0;  // whose images the pass moved as well
  // Of a kAttack stream: the adversarial examples that its pass made.
  std::shared_ptr<const UnitBatch> attacked;
};

class UnitCompute {
 public:
  virtual ~UnitCompute() = default;
  // Errors say what went wrong, and where; the unit cannot be computed here.
  //
  // On any thread but a lane's, many calls at once.
  virtual absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) = 0;
  // `weights`: those to attack with. FREE: of the batch's updates so far, the oldest first, or none
  // if HasReplay said that they are not needed.
  virtual absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::vector<std::shared_ptr<const Arena>> weights) = 0;
  // How far the attack that made `attacked` agrees with one by `weights`, those of the unit's
  // update: the mean cosine over the examples of both attacks' first gradients. Changes nothing.
  // Nothing: this unit is not among those that measure it, or no example has a gradient.
  virtual absl::StatusOr<std::optional<float>> AttackCosine(
      int /*lane*/, Unit /*unit*/, const UnitBatch& /*attacked*/,
      std::shared_ptr<const Arena> /*weights*/) {
    return std::nullopt;
  }
  // FREE: whether the unit's images are here, left by the pass of the step before.
  virtual bool HasReplay(Unit /*unit*/) { return false; }
  // Lets go of what passes have left for later steps.
  virtual void Forget() {}
  // The stream's gradients go to its range of `gradients`. `batch`: what Attack made, if the stream
  // is one of those that take it, else what Load did. `progress`: hears of the pass on the way, if
  // it is not nullptr and the pass has anything to say before its end.
  virtual absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                            std::shared_ptr<const UnitBatch> batch,
                                            std::shared_ptr<const Arena> weights,
                                            std::shared_ptr<Arena> gradients,
                                            PassProgress* progress) = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_
