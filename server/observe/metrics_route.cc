// SPDX-License-Identifier: Apache-2.0
#include "server/observe/metrics_route.h"

#include "absl/strings/match.h"
#include "server/metrics/collect.h"
#include "server/observe/readiness.h"

namespace conadv {

MetricsRoute::MetricsRoute(ServerWindow* window, GoodputKeeper* goodput, HttpRoutes* routes)
    : window_(window), goodput_(goodput) {
  routes->Add("/metrics", HttpAccess::kViewer,
              [this](const HttpRequest& request) { return Answer(request); });
}

HttpResponse MetricsRoute::Answer(const HttpRequest& request) {
  return window_->With([&](const ServerParts* parts, const std::string& why) {
    // Between two Servers there is nothing to tell, and no metric of the one goes on.
    if (parts == nullptr) return TextResponse(503, why);
    Exposition exposition;
    CollectShard(*parts, ReadinessOf(*parts).ready, &exposition);
    if (parts->coordinator != nullptr) {
      CollectRun(*parts, &exposition);
      CollectWorkers(*parts, &exposition);
    }
    const TrainingOptions& training = parts->shard->job().training;
    goodput_->See(*parts);
    if (const auto goodput = goodput_->shown(); goodput.has_value()) {
      CollectGoodput(goodput->sums, goodput->process,
                     static_cast<double>(training.slot_size()) * training.slots_per_update(),
                     &exposition);
    }
    HttpResponse response;
    response.body = exposition.Text();
    response.type = kPrometheusType;
    if (absl::StrContains(request.accept, "application/openmetrics-text")) {
      response.body = OpenMetricsOf(response.body);
      response.type = kOpenMetricsType;
    }
    return response;
  });
}

}  // namespace conadv
