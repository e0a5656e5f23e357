// SPDX-License-Identifier: Apache-2.0
// Plans, from and to the wire. Pure functions.
#ifndef CONADV_COMMON_PLAN_PLAN_PROTO_H_
#define CONADV_COMMON_PLAN_PLAN_PROTO_H_

#include "absl/status/statusor.h"
#include "common/plan/plan.h"
#include "common/tensor/layout.h"
#include "conadv/v1/tensor.pb.h"

namespace conadv {

v1::Tensor::Branch ToProto(Branch branch);
v1::Tensor ToProto(const TensorSpec& tensor);
v1::Plan ToProto(const Plan& plan);

// From a peer, whatever its bytes: INVALID_ARGUMENT names the tensor and what is wrong with it (no
// name, more than 16 dimensions, no or more than 2^40 elements, an unknown kind or branch, a
// statistic's momentum outside [0, 1], or batches beside one), or says that there are no or more
// than 2^20 tensors, no examples or no steps. Names may still occur twice: Layout::Create refuses
// that.
absl::StatusOr<TensorSpec> FromProto(const v1::Tensor& tensor);
absl::StatusOr<Plan> FromProto(const v1::Plan& plan);

}  // namespace conadv

#endif  // CONADV_COMMON_PLAN_PLAN_PROTO_H_
