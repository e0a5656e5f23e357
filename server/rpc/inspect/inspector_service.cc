// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inspect/inspector_service.h"

#include "absl/strings/str_cat.h"
#include "common/wire/status.h"
#include "server/rpc/inspect/ticking_stream.h"
#include "server/rpc/stream/log_stream.h"

namespace conadv {
namespace {

grpc::ServerUnaryReactor* Answered(grpc::CallbackServerContext* context) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

}  // namespace

grpc::ServerUnaryReactor* InspectorService::Status(grpc::CallbackServerContext* context,
                                                   const v1::StatusRequest* /*request*/,
                                                   v1::StatusResponse* response) {
  *response = ViewStatus(parts_);
  return Answered(context);
}

grpc::ServerUnaryReactor* InspectorService::Staleness(grpc::CallbackServerContext* context,
                                                      const v1::StalenessRequest* /*request*/,
                                                      v1::StalenessResponse* response) {
  *response = ViewStaleness(parts_);
  return Answered(context);
}

grpc::ServerWriteReactor<v1::StalenessResponse>* InspectorService::WatchStaleness(
    grpc::CallbackServerContext* /*context*/, const v1::WatchStalenessRequest* request) {
  return StartTickingStream(parts_, request->interval_seconds());
}

grpc::ServerUnaryReactor* InspectorService::Workers(grpc::CallbackServerContext* context,
                                                    const v1::WorkersRequest* /*request*/,
                                                    v1::WorkersResponse* response) {
  *response = ViewWorkers(parts_);
  return Answered(context);
}

grpc::ServerUnaryReactor* InspectorService::Snapshots(grpc::CallbackServerContext* context,
                                                      const v1::SnapshotsRequest* /*request*/,
                                                      v1::SnapshotsResponse* response) {
  *response = ViewSnapshots(parts_);
  return Answered(context);
}

grpc::ServerWriteReactor<v1::MetricsRecord>* InspectorService::WatchMetrics(
    grpc::CallbackServerContext* /*context*/, const v1::WatchMetricsRequest* request) {
  const absl::Status lineage = parts_.shard->CheckLineage(Lineage(request->lineage()));
  if (!lineage.ok()) return new RefusedStream<v1::MetricsRecord>(ToGrpc(lineage));
  return LogStream<std::variant<StepMetrics, EvaluationResult>, v1::MetricsRecord>::Start(
      &parts_.events->metrics(), request->after(),
      [streams = parts_.shard->streams()](uint64_t index, const auto& record) {
        return ViewMetrics(streams, index, record);
      });
}

}  // namespace conadv
