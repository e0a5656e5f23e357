// SPDX-License-Identifier: Apache-2.0
// One Describe on the wire. Owns itself; the callback comes on one of gRPC's threads.
#ifndef CONADV_CLIENT_GRPC_DESCRIBE_CALL_H_
#define CONADV_CLIENT_GRPC_DESCRIBE_CALL_H_

#include <grpcpp/generic/generic_stub.h>

#include "client/grpc/call_registry.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/peer_identity.h"

namespace conadv {

// `stub`, `registry` and `peer` outlive the call, which is over when `done` has been called.
void StartDescribeCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                       absl::Duration timeout, ParameterClient::DescribeDone done);

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_DESCRIBE_CALL_H_
