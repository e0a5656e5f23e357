// SPDX-License-Identifier: Apache-2.0
// Which units measure what the staleness of their attack does. A pure function of the job and the
// unit, so that whoever computes a unit measures it too.
#ifndef CONADV_WORKER_COMPUTE_MEASURED_UNIT_H_
#define CONADV_WORKER_COMPUTE_MEASURED_UNIT_H_

#include "common/base/ids.h"
#include "common/base/random.h"
#include "common/job/job.h"

namespace conadv {

// One slot, which the seed chooses, of each step that attack.cosine_every divides; of none of step
// 0, whose attack has the update's own weights.
inline bool MeasuresCosine(const Job& job, Unit unit) {
  const uint64_t step = unit.step.value();
  const uint32_t every = job.attack.cosine_every;
  if (every == 0 || step == 0 || step % every != 0) return false;
  return Random(job.seed, Purpose::kMeasuredSlot, step).Below(job.training.slots) ==
         unit.slot.value();
}

}  // namespace conadv

#endif  // CONADV_WORKER_COMPUTE_MEASURED_UNIT_H_
