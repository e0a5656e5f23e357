// SPDX-License-Identifier: Apache-2.0
// The one place where absl::Status and grpc::Status meet: codes are the same, messages are kept.
// Pure functions.
#ifndef CONADV_COMMON_WIRE_STATUS_H_
#define CONADV_COMMON_WIRE_STATUS_H_

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace conadv {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_STATUS_H_
