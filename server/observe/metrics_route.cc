// SPDX-License-Identifier: Apache-2.0
#include "server/observe/metrics_route.h"

#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "common/base/random.h"
#include "server/metrics/collect.h"
#include "server/observe/readiness.h"

namespace conadv {

MetricsRoute::MetricsRoute(ServerWindow* window, HttpRoutes* routes)
    : window_(window), process_(absl::StrFormat("%016x", RandomIncarnation().value())) {
  window->SetLastLook([this](const ServerParts& parts) { See(parts); });
  routes->Add("/metrics", HttpAccess::kViewer,
              [this](const HttpRequest& request) { return Answer(request); });
}

Goodput::Sums MetricsRoute::See(const ServerParts& parts) {
  const std::optional<Goodput::Sight> sight = SightOf(parts);
  MutexLock lock(&mutex_);
  if (sight.has_value()) goodput_.See(*sight);
  return goodput_.sums();
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
    CollectGoodput(See(*parts), process_,
                   static_cast<double>(training.slot_size()) * training.slots_per_update(),
                   &exposition);
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
