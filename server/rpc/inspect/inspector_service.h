// SPDX-License-Identifier: Apache-2.0
// Read-only views of a run. Thread-safe.
#ifndef CONADV_SERVER_RPC_INSPECT_INSPECTOR_SERVICE_H_
#define CONADV_SERVER_RPC_INSPECT_INSPECTOR_SERVICE_H_

#include "conadv/v1/inspector.grpc.pb.h"
#include "server/rpc/inspect/views.h"

namespace conadv {

class InspectorService final : public v1::Inspector::CallbackService {
 public:
  // What it looks at outlives it.
  explicit InspectorService(const ServerParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const v1::StatusRequest* request,
                                   v1::StatusResponse* response) override;
  grpc::ServerUnaryReactor* Staleness(grpc::CallbackServerContext* context,
                                      const v1::StalenessRequest* request,
                                      v1::StalenessResponse* response) override;
  grpc::ServerWriteReactor<v1::StalenessResponse>* WatchStaleness(
      grpc::CallbackServerContext* context, const v1::WatchStalenessRequest* request) override;
  grpc::ServerUnaryReactor* Workers(grpc::CallbackServerContext* context,
                                    const v1::WorkersRequest* request,
                                    v1::WorkersResponse* response) override;
  grpc::ServerUnaryReactor* Snapshots(grpc::CallbackServerContext* context,
                                      const v1::SnapshotsRequest* request,
                                      v1::SnapshotsResponse* response) override;
  grpc::ServerWriteReactor<v1::MetricsRecord>* WatchMetrics(
      grpc::CallbackServerContext* context, const v1::WatchMetricsRequest* request) override;

 private:
  const ServerParts parts_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_INSPECT_INSPECTOR_SERVICE_H_
