// SPDX-License-Identifier: Apache-2.0
// The tensors of a model that is only simulated, which no other model has. Pure functions.
#ifndef CONADV_COMMON_PLAN_SIMULATED_PLAN_H_
#define CONADV_COMMON_PLAN_SIMULATED_PLAN_H_

#include <cstdint>
#include <vector>

#include "common/plan/plan.h"
#include "common/tensor/layout.h"

namespace conadv {

// So many parameters in all, in up to 40 tensors: as in a network there are a few large weights
// and many small ones. REQUIRES: parameters > 0.
std::vector<TensorSpec> SimulatedTensors(uint64_t parameters);

bool IsSimulated(const Plan& plan);

}  // namespace conadv

#endif  // CONADV_COMMON_PLAN_SIMULATED_PLAN_H_
