// SPDX-License-Identifier: Apache-2.0
// What changes a running job. The decisions are the coordinator's. Thread-safe.
#ifndef CONADV_SERVER_RPC_OPERATE_OPERATOR_SERVICE_H_
#define CONADV_SERVER_RPC_OPERATE_OPERATOR_SERVICE_H_

#include <string>

#include "absl/status/status.h"
#include "common/thread/thread_pool.h"
#include "conadv/v1/job.pb.h"
#include "conadv/v1/operator.grpc.pb.h"
#include "server/agent/settings_journal.h"
#include "server/coordinate/coordinator.h"

namespace conadv {

class OperatorService final : public v1::Operator::CallbackService {
 public:
  struct Options {
    Coordinator* coordinator = nullptr;  // outlives the service; nullptr: on shards other than 0
    std::string elsewhere;               // where it is then
    v1::Job job;
    SettingsJournal journal;
  };
  explicit OperatorService(Options options) : options_(std::move(options)) {}

  grpc::ServerUnaryReactor* SaveCheckpoint(grpc::CallbackServerContext* context,
                                           const v1::SaveCheckpointRequest* request,
                                           v1::SaveCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;
  grpc::ServerUnaryReactor* Set(grpc::CallbackServerContext* context, const v1::SetRequest* request,
                                v1::SetResponse* response) override;

 private:
  // Whether this server is the one to ask.
  absl::Status CheckCoordinates() const;
  // Waits for a disk.
  absl::Status SetNow(const v1::SetRequest& request, v1::SetResponse* response);

  const Options options_;
  ThreadPool disk_{1};  // last: what it does ends before the rest goes
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_OPERATE_OPERATOR_SERVICE_H_
