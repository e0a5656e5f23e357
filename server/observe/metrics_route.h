// SPDX-License-Identifier: Apache-2.0
// /metrics, of whichever Server the process runs. Thread-safe.
#ifndef CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_
#define CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_

#include "server/http/routes.h"
#include "server/observe/goodput_keeper.h"
#include "server/observe/server_window.h"

namespace conadv {

class MetricsRoute {
 public:
  // Adds the route. All outlive its use.
  MetricsRoute(ServerWindow* window, GoodputKeeper* goodput, HttpRoutes* routes);

 private:
  HttpResponse Answer(const HttpRequest& request);

  ServerWindow* const window_;
  GoodputKeeper* const goodput_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_METRICS_ROUTE_H_
