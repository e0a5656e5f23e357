// SPDX-License-Identifier: Apache-2.0
// The one place where absl::Status and grpc::Status meet: codes are the same, messages are kept,
// but for those of a server's certificate: see ExplainCertificateProblem. Pure functions.
#ifndef CONADV_COMMON_WIRE_STATUS_H_
#define CONADV_COMMON_WIRE_STATUS_H_

#include <grpcpp/client_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace conadv {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

// The retry delay inside a status (RetryDelayOf) travels in the trailing metadata
// "grpc-retry-pushback-ms". To be called before the call is finished.
void SendRetryDelay(const absl::Status& status, grpc::CallbackServerContext* context);
// With the delay that the peer sent, at most a minute. REQUIRES: the call is over.
absl::Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context);

}  // namespace conadv

#endif  // CONADV_COMMON_WIRE_STATUS_H_
