// SPDX-License-Identifier: Apache-2.0
// What a shard says of its checkpoints.
#ifndef CONADV_SERVER_RPC_INSPECT_CHECKPOINTS_VIEW_H_
#define CONADV_SERVER_RPC_INSPECT_CHECKPOINTS_VIEW_H_

#include "conadv/v1/checkpoints.pb.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

v1::CheckpointsResponse ViewCheckpoints(const ServerParts& parts);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_INSPECT_CHECKPOINTS_VIEW_H_
