// SPDX-License-Identifier: Apache-2.0
// One member's session: messages to the coordinator, and from it through a queue. Deletes itself
// after the call.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_JOIN_REACTOR_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_JOIN_REACTOR_H_

#include <grpcpp/support/server_callback.h>

#include "conadv/v1/coordinator.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/record/worker_stats_book.h"
#include "server/rpc/membership/member_session.h"
#include "server/rpc/stream/first_messages.h"

namespace conadv {

// The coordinator, the book and `first_messages` outlive the call.
grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>* StartJoin(Coordinator* coordinator,
                                                                      WorkerStatsBook* stats,
                                                                      FirstMessages* first_messages,
                                                                      MemberSession::Peer peer);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_JOIN_REACTOR_H_
