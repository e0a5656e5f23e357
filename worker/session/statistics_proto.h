// SPDX-License-Identifier: Apache-2.0
// A worker's totals on the wire. Pure function.
#ifndef CONADV_WORKER_SESSION_STATISTICS_PROTO_H_
#define CONADV_WORKER_SESSION_STATISTICS_PROTO_H_

#include "conadv/v1/stats.pb.h"
#include "worker/statistics/statistics.h"

namespace conadv {

void ToProto(const WorkerTotals& totals, v1::WorkerStats* stats);

}  // namespace conadv

#endif  // CONADV_WORKER_SESSION_STATISTICS_PROTO_H_
