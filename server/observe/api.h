// SPDX-License-Identifier: Apache-2.0
// What a server's HTTP port says of it: probes, and what the Inspector answers as JSON.
#ifndef CONADV_SERVER_OBSERVE_API_H_
#define CONADV_SERVER_OBSERVE_API_H_

#include "server/http/routes.h"
#include "server/observe/server_window.h"

namespace conadv {

// /healthz and /readyz. `window` outlives the routes.
void AddProbeRoutes(ServerWindow* window, HttpRoutes* routes);
// /api/v1/….
void AddApiRoutes(ServerWindow* window, HttpRoutes* routes);

// Of one answer of /api/v1/metrics; the next begins where it ends.
inline constexpr size_t kMostMetricsRecords = 1000;

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_API_H_
