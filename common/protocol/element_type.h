// SPDX-License-Identifier: Apache-2.0
// The type of the wire's values, from and to its message. Pure functions.
#ifndef CONADV_COMMON_PROTOCOL_ELEMENT_TYPE_H_
#define CONADV_COMMON_PROTOCOL_ELEMENT_TYPE_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "common/tensor/bfloat16.h"
#include "conadv/v1/parameter_server.pb.h"

namespace conadv {

inline v1::ElementType ToProto(ElementType type) {
  return type == ElementType::kBfloat16 ? v1::BFLOAT16 : v1::FLOAT32;
}

// INVALID_ARGUMENT: a newer peer's.
inline absl::StatusOr<ElementType> FromProto(v1::ElementType type) {
  if (type == v1::FLOAT32) return ElementType::kFloat32;
  if (type == v1::BFLOAT16) return ElementType::kBfloat16;
  return absl::InvalidArgumentError(absl::StrCat("element_type: there is no type ", type));
}

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_ELEMENT_TYPE_H_
