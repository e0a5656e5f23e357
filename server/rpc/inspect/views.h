// SPDX-License-Identifier: Apache-2.0
// What the Inspector answers, made from the server's parts.
#ifndef CONADV_SERVER_RPC_INSPECT_VIEWS_H_
#define CONADV_SERVER_RPC_INSPECT_VIEWS_H_

#include "common/base/clock.h"
#include "common/job/streams.h"
#include "conadv/v1/inspector.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/record/shard_events.h"
#include "server/record/worker_stats_book.h"
#include "server/shard/shard.h"

namespace conadv {

struct ServerParts {
  Shard* shard = nullptr;
  ShardEvents* events = nullptr;
  Checkpointer* checkpointer = nullptr;
  const Clock* clock = nullptr;
  Incarnation incarnation;
  // Shard 0 only, else nullptr.
  Coordinator* coordinator = nullptr;
  WorkerStatsBook* stats = nullptr;
};

v1::StatusResponse ViewStatus(const ServerParts& parts);
v1::StalenessResponse ViewStaleness(const ServerParts& parts);
v1::WorkersResponse ViewWorkers(const ServerParts& parts);
v1::SnapshotsResponse ViewSnapshots(const ServerParts& parts);
v1::MetricsRecord ViewMetrics(const GradientStreams& streams, uint64_t index,
                              const std::variant<StepMetrics, EvaluationResult>& record);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_INSPECT_VIEWS_H_
