// SPDX-License-Identifier: Apache-2.0
// One Push on the wire, in raw messages that reference the caller's arena. Owns itself; callbacks
// come on gRPC's threads.
#ifndef CONADV_CLIENT_GRPC_PUSH_CALL_H_
#define CONADV_CLIENT_GRPC_PUSH_CALL_H_

#include <grpcpp/generic/generic_stub.h>

#include <string>

#include "client/grpc/call_registry.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/peer_identity.h"

namespace conadv {

// `stub`, `registry` and `peer` outlive the call, which is over when `done` has been called. The
// arena is kept alive until gRPC lets go of the last slice, which may be later.
void StartPushCall(grpc::GenericStub* stub, CallRegistry* registry, PeerIdentity* peer,
                   uint64_t layout_hash, const std::string& worker, const PushContent& content,
                   absl::Duration timeout, ParameterClient::PushDone done);

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_PUSH_CALL_H_
