// SPDX-License-Identifier: Apache-2.0
// The plan of a run: the tensors of the model and the length of the run, which the job file cannot
// say. Made by the first worker's offer, and the same for every later one. Plain values and pure
// functions.
#ifndef CONADV_COMMON_PLAN_PLAN_H_
#define CONADV_COMMON_PLAN_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/tensor/layout.h"

namespace conadv {

struct Plan {
  std::vector<TensorSpec> tensors;  // in the model's order
  uint64_t examples = 0;            // of the training set, after dataset.limit
  uint64_t steps = 0;
  uint64_t data_fingerprint = 0;
  uint32_t initial_weights_crc32c = 0;
  uint64_t model_fingerprint = 0;  // of the model's file; 0 for a built-in one
};

// As a plan is kept in checkpoints and sent: the bytes of a v1::Plan. Equal plans have equal bytes.
std::string PlanBytes(const Plan& plan);
// DATA_LOSS: not what PlanBytes made.
absl::StatusOr<Plan> ParsePlanBytes(absl::string_view bytes);

// OK if a worker that offers `offered` can take part in the run. INVALID_ARGUMENT names the first
// difference, with both values, and what to do about it.
absl::Status CheckSamePlan(const Plan& run, const Plan& offered);

}  // namespace conadv

#endif  // CONADV_COMMON_PLAN_PLAN_H_
