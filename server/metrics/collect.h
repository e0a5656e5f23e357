// SPDX-License-Identifier: Apache-2.0
// A server's metrics, read from its parts when they are asked for. Their number does not grow with
// the run: workers are counted, not listed. Each function reads what it names; no state.
#ifndef CONADV_SERVER_METRICS_COLLECT_H_
#define CONADV_SERVER_METRICS_COLLECT_H_

#include <string>

#include "server/metrics/exposition.h"
#include "server/metrics/goodput.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

// Of this shard: versions, updates, staleness, memory, checkpoints.
void CollectShard(const ServerParts& parts, bool ready, Exposition* out);
// Of the run. REQUIRES: parts.coordinator.
void CollectRun(const ServerParts& parts, Exposition* out);
// Of all workers, as they say. REQUIRES: parts.stats.
void CollectWorkers(const ServerParts& parts, Exposition* out);
// Of the process whose id is `process`; `examples`: of an update.
void CollectGoodput(const Goodput::Sums& sums, const std::string& process, double examples,
                    Exposition* out);

// Nothing before there are weights.
std::optional<Goodput::Sight> SightOf(const ServerParts& parts);

}  // namespace conadv

#endif  // CONADV_SERVER_METRICS_COLLECT_H_
