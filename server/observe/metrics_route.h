// SPDX-License-Identifier: Apache-2.0
// /metrics, of whichever Server the process runs. Thread-safe.
#ifndef CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_
#define CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_

#include <string>

#include "common/thread/mutex.h"
#include "server/http/routes.h"
#include "server/metrics/goodput.h"
#include "server/observe/server_window.h"

namespace conadv {

class MetricsRoute {
 public:
  // Adds the route, and has the window tell it of each Server's last state. The window outlives it,
  // and it outlives the routes' use.
  MetricsRoute(ServerWindow* window, HttpRoutes* routes);

 private:
  HttpResponse Answer(const HttpRequest& request);
  Goodput::Sums See(const ServerParts& parts);

  ServerWindow* const window_;
  const std::string process_;  // tells this process from another that follows it
  Mutex mutex_;
  Goodput goodput_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_
