// SPDX-License-Identifier: Apache-2.0
#include "server/observe/api.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "server/observe/json.h"
#include "server/observe/readiness.h"
#include "server/rpc/inspect/checkpoints_view.h"
#include "server/rpc/inspect/views.h"

namespace conadv {
namespace {

using View = std::function<absl::StatusOr<std::string>(const ServerParts&, const HttpRequest&)>;

void AddView(std::string path, ServerWindow* window, HttpRoutes* routes, View view) {
  routes->Add(std::move(path), HttpAccess::kViewer,
              [window, view = std::move(view)](const HttpRequest& request) {
                return window->With([&](const ServerParts* parts, const std::string& why) {
                  if (parts == nullptr) return ErrorResponse(absl::UnavailableError(why));
                  absl::StatusOr<std::string> text = view(*parts, request);
                  return text.ok() ? JsonResponse(*std::move(text)) : ErrorResponse(text.status());
                });
              });
}

// Of a view that needs nothing but the parts.
template <class Message>
View Whole(Message (*make)(const ServerParts&)) {
  return [make](const ServerParts& parts, const HttpRequest&) -> absl::StatusOr<std::string> {
    return JsonText(make(parts));
  };
}

absl::StatusOr<std::string> Metrics(const ServerParts& parts, const HttpRequest& request) {
  CONADV_ASSIGN_OR_RETURN(const auto after, QueryNumber(request.query, "after"));
  CONADV_ASSIGN_OR_RETURN(const auto lineage, QueryNumber(request.query, "lineage"));
  // The records of another one are others.
  CONADV_RETURN_IF_ERROR(parts.shard->CheckLineage(Lineage(lineage.value_or(0))));
  const auto page = parts.events->metrics().Read(after.value_or(0), kMostMetricsRecords);
  std::string text = "{\"records\":[";
  for (const auto& entry : page.entries) {
    if (text.back() == '}') text += ',';
    text += JsonText(ViewMetrics(parts.shard->streams(), entry.index, entry.record));
  }
  absl::StrAppend(&text, "],\"next\":", page.next, ",\"lineage\":\"",
                  parts.shard->lineage().value(), "\"}");
  return text;
}

// Shared by the requests that ask.
struct Watch {
  Mutex mutex;
  TaskWatch tasks ABSL_GUARDED_BY(mutex);
};

HttpResponse Health(const ServerParts* parts, const std::string& why, Watch* watch) {
  if (parts == nullptr) return TextResponse(200, absl::StrCat("alive; ", why));
  absl::Duration busy;
  {
    MutexLock lock(&watch->mutex);
    busy = watch->tasks.See(parts->shard->oldest_task(), parts->clock->Now());
  }
  if (busy > LongestTask(parts->shard->job())) {
    return TextResponse(
        503, absl::StrCat("busy with one task for ", absl::FormatDuration(busy), ": it is stuck"));
  }
  return TextResponse(200, "alive");
}

}  // namespace

void AddProbeRoutes(ServerWindow* window, HttpRoutes* routes) {
  routes->Add("/healthz", HttpAccess::kOpen,
              [window, watch = std::make_shared<Watch>()](const HttpRequest&) {
                return window->With([&](const ServerParts* parts, const std::string& why) {
                  return Health(parts, why, watch.get());
                });
              });
  routes->Add("/readyz", HttpAccess::kOpen, [window](const HttpRequest&) {
    return window->With([](const ServerParts* parts, const std::string& why) {
      if (parts == nullptr) return TextResponse(503, why);
      Readiness readiness = ReadinessOf(*parts);
      return TextResponse(readiness.ready ? 200 : 503, std::move(readiness.reason));
    });
  });
}

void AddApiRoutes(ServerWindow* window, HttpRoutes* routes) {
  AddView("/api/v1/status", window, routes, Whole(&ViewStatus));
  AddView("/api/v1/staleness", window, routes, Whole(&ViewStaleness));
  AddView("/api/v1/workers", window, routes, Whole(&ViewWorkers));
  AddView("/api/v1/snapshots", window, routes, Whole(&ViewSnapshots));
  AddView("/api/v1/checkpoints", window, routes, Whole(&ViewCheckpoints));
  AddView("/api/v1/metrics", window, routes, &Metrics);
}

}  // namespace conadv
