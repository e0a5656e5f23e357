// SPDX-License-Identifier: Apache-2.0
// A unit's examples and passes, as the pipeline asks for them; an interface, so that its tests need
// no LibTorch. Lanes at once, one call at a time in each.
#ifndef CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_
#define CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_

#include <memory>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/tensor/arena.h"

namespace conadv {

// Examples of one unit, as they were loaded or as the attack left them; what is in it is the
// implementation's business.
struct UnitBatch;

// Of a pass over a slot.
struct PassMeasures {
  float loss = 0;      // mean
  float accuracy = 0;  // fraction
};

class UnitCompute {
 public:
  virtual ~UnitCompute() = default;
  // Errors say what went wrong, and where; the unit cannot be computed here.
  //
  // On any thread but a lane's, many calls at once.
  virtual absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) = 0;
  virtual absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::shared_ptr<const Arena> weights) = 0;
  // The stream's gradients go to its range of `gradients`. `batch`: what Attack made, if the stream
  // is one of those that take it, else what Load did.
  virtual absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                            std::shared_ptr<const UnitBatch> batch,
                                            std::shared_ptr<const Arena> weights,
                                            std::shared_ptr<Arena> gradients) = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_UNIT_COMPUTE_H_
