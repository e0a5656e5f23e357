// SPDX-License-Identifier: Apache-2.0
// The control plane's service. Thread-safe.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_COORDINATOR_SERVICE_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_COORDINATOR_SERVICE_H_

#include "common/security/authorizer.h"
#include "common/thread/mutex.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "server/coordinate/coordinator.h"
#include "server/record/version_log.h"
#include "server/record/worker_stats_book.h"
#include "server/rpc/membership/join_rate.h"
#include "server/rpc/stream/first_messages.h"

namespace conadv {

class CoordinatorService final : public v1::Coordinator::CallbackService {
 public:
  // All outlive the service. `job` is what members are told. `authorizer` says who may be a shard;
  // nullptr: anybody.
  CoordinatorService(conadv::Coordinator* coordinator, v1::Job job, Incarnation incarnation,
                     WorkerStatsBook* stats, MetricsLog* metrics, FirstMessages* first_messages,
                     Authorizer* authorizer = nullptr)
      : coordinator_(coordinator),
        job_(std::move(job)),
        incarnation_(incarnation),
        stats_(stats),
        metrics_(metrics),
        first_messages_(first_messages),
        authorizer_(authorizer) {}

  grpc::ServerUnaryReactor* GetJob(grpc::CallbackServerContext* context,
                                   const v1::GetJobRequest* request,
                                   v1::GetJobResponse* response) override;
  grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>* Join(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Report(grpc::CallbackServerContext* context,
                                   const v1::ReportRequest* request,
                                   v1::ReportResponse* response) override;

 private:
  conadv::Coordinator* const coordinator_;
  const v1::Job job_;
  const Incarnation incarnation_;
  WorkerStatsBook* const stats_;
  MetricsLog* const metrics_;
  FirstMessages* const first_messages_;
  Authorizer* const authorizer_;
  Mutex mutex_;
  JoinRate joins_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_COORDINATOR_SERVICE_H_
