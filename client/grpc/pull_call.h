// SPDX-License-Identifier: Apache-2.0
// One Pull on the wire, in raw messages. Owns itself; callbacks come on gRPC's threads.
#ifndef CONADV_CLIENT_GRPC_PULL_CALL_H_
#define CONADV_CLIENT_GRPC_PULL_CALL_H_

#include <grpcpp/generic/generic_stub.h>

#include "client/grpc/call_registry.h"
#include "client/transfer/pull_assembly.h"

namespace conadv {

// `stub`, `registry` and `peer` outlive the call, which is over when `done` has been called.
void StartPullCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                   uint64_t layout_hash, const PullSelector& selector, absl::Duration timeout,
                   ParameterClient::Allocate allocate, ParameterClient::PullDone done);

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_PULL_CALL_H_
