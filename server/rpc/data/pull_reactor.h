// SPDX-License-Identifier: Apache-2.0
// One Pull: waits for its version without holding a thread, then sends slices that reference the
// snapshot.
#ifndef CONADV_SERVER_RPC_DATA_PULL_REACTOR_H_
#define CONADV_SERVER_RPC_DATA_PULL_REACTOR_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "common/base/ids.h"
#include "server/shard/shard.h"

namespace conadv {

// Owns itself until the call is done.
grpc::ServerWriteReactor<grpc::ByteBuffer>* StartPull(Shard* shard, Incarnation incarnation,
                                                      grpc::CallbackServerContext* context,
                                                      const grpc::ByteBuffer& request);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_DATA_PULL_REACTOR_H_
