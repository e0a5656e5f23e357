// SPDX-License-Identifier: Apache-2.0
// The plan of a run: the tensors of the model and the length of the run, which the job file cannot
// say. Made by the first worker's offer, and the same for every later one. Plain values and pure
// functions.
#ifndef CONADV_COMMON_JOB_PLAN_H_
#define CONADV_COMMON_JOB_PLAN_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/tensor/layout.h"

namespace conadv {

// Declared here only: those who keep plans need no protobuf.
namespace v1 {
class Plan;
class Tensor;
}  // namespace v1

struct Plan {
  std::vector<TensorSpec> tensors;  // in the model's order
  uint64_t examples = 0;            // of the training set, after dataset.limit
  uint64_t steps = 0;
  uint64_t data_fingerprint = 0;
  uint32_t initial_weights_crc32c = 0;
};

v1::Tensor ToProto(const TensorSpec& tensor);
v1::Plan ToProto(const Plan& plan);

// From a peer, whatever its bytes: INVALID_ARGUMENT names the tensor and what is wrong with it (no
// name, more than 16 dimensions, no or more than 2^40 elements, an unknown kind or branch, a
// statistic's momentum outside (0, 1]), or says that there are no or more than 2^20 tensors, no
// examples or no steps. Names may still occur twice: Layout::Create refuses that.
absl::StatusOr<TensorSpec> FromProto(const v1::Tensor& tensor);
absl::StatusOr<Plan> FromProto(const v1::Plan& plan);

// OK if a worker that offers `offered` can take part in the run. INVALID_ARGUMENT names the first
// difference, with both values, and what to do about it.
absl::Status CheckSamePlan(const Plan& run, const Plan& offered);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_PLAN_H_
