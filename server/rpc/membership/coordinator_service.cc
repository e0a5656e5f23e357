// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/coordinator_service.h"

#include "common/base/clock.h"
#include "common/wire/status.h"
#include "server/rpc/access/caller.h"
#include "server/rpc/membership/join_reactor.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {
namespace {

class RefusedJoin final : public grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse> {
 public:
  explicit RefusedJoin(const grpc::Status& status) { Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace

grpc::ServerUnaryReactor* CoordinatorService::GetJob(grpc::CallbackServerContext* context,
                                                     const v1::GetJobRequest* request,
                                                     v1::GetJobResponse* response) {
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  absl::StatusOr<std::vector<std::string>> servers = std::vector<std::string>();
  if (!request->job_only()) servers = coordinator_->Servers();
  if (servers.ok()) {
    *response->mutable_job() = job_;
    response->mutable_servers()->Assign(servers->begin(), servers->end());
    response->set_incarnation(incarnation_.value());
  }
  reactor->Finish(ToGrpc(servers.status()));
  return reactor;
}

grpc::ServerBidiReactor<v1::JoinRequest, v1::JoinResponse>* CoordinatorService::Join(
    grpc::CallbackServerContext* context) {
  {
    MutexLock lock(&mutex_);
    if (!joins_.Take(Clock::Real().Now())) {
      return new RefusedJoin(ToGrpc(absl::ResourceExhaustedError(
          "join: more members come than the coordinator takes; come again")));
    }
  }
  const absl::StatusOr<AccessRole> role = RoleOf(*context, authorizer_);
  return StartJoin(coordinator_, stats_, first_messages_,
                   {context->peer(), role.ok() && *role >= AccessRole::kServer});
}

grpc::ServerUnaryReactor* CoordinatorService::Report(grpc::CallbackServerContext* context,
                                                     const v1::ReportRequest* request,
                                                     v1::ReportResponse* /*response*/) {
  const EvaluationResult result = FromProto(*request);
  const absl::Status status = coordinator_->OnEvaluated(result);
  if (status.ok()) metrics_->Append(result);
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpc(status));
  return reactor;
}

}  // namespace conadv
