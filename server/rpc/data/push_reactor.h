// SPDX-License-Identifier: Apache-2.0
// One Push: the header admits it, chunks are copied once into the shard's buffer, and the pool does
// the rest.
#ifndef CONADV_SERVER_RPC_DATA_PUSH_REACTOR_H_
#define CONADV_SERVER_RPC_DATA_PUSH_REACTOR_H_

#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/server_callback.h>

#include "common/base/ids.h"
#include "server/rpc/connections/taken_bytes.h"
#include "server/rpc/stream/first_messages.h"
#include "server/shard/shard.h"
#include "server/transfer/push_watch.h"

namespace conadv {

// Owns itself until the call is done. `shard`, `watch` and `first_messages` outlive it. `taken`
// counts the bytes of its messages.
grpc::ServerReadReactor<grpc::ByteBuffer>* StartPush(
    Shard* shard, PushWatch* watch, FirstMessages* first_messages, TakenBytes::Counter taken,
    Incarnation incarnation, grpc::CallbackServerContext* context, grpc::ByteBuffer* response);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_DATA_PUSH_REACTOR_H_
