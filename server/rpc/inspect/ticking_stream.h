// SPDX-License-Identifier: Apache-2.0
// WatchStaleness: the view now, and again every interval.
#ifndef CONADV_SERVER_RPC_INSPECT_TICKING_STREAM_H_
#define CONADV_SERVER_RPC_INSPECT_TICKING_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include "conadv/v1/inspector.pb.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

// Deletes itself after the call. INVALID_ARGUMENT: an interval that is not 0 or 0.05 to 3600
// seconds.
grpc::ServerWriteReactor<v1::StalenessResponse>* StartTickingStream(const ServerParts& parts,
                                                                    double interval_seconds);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_INSPECT_TICKING_STREAM_H_
