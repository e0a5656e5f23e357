// SPDX-License-Identifier: Apache-2.0
#include "tests/soak/unit_loop.h"

#include "common/plan/plan_proto.h"
#include "common/wire/status.h"

namespace conadv {

absl::Status RunUnits(const std::string& name, const Plan& plan, const UnitLoop& loop,
                      grpc::ClientContext* context, JoinStream* stream) {
  v1::JoinRequest request;
  request.mutable_hello()->set_role(v1::WORKER);
  request.mutable_hello()->set_name(name);
  request.mutable_hello()->set_threads(1);
  *request.mutable_hello()->mutable_plan() = ToProto(plan);
  stream->Write(request);
  v1::JoinResponse response;
  absl::Status error;
  while (error.ok() && stream->Read(&response)) {
    request.Clear();
    if (response.has_welcome()) loop.welcome(response.welcome().lineage());
    if (response.offer()) {
      error = loop.offer();
      request.set_offered(true);
      stream->Write(request);
    } else if (response.has_grant()) {
      for (const v1::Unit& unit : response.grant().units()) {
        error.Update(loop.work(unit));
        request.Clear();
        *request.mutable_done()->add_units() = unit;
        stream->Write(request);
        loop.done();
      }
    } else if (response.finished()) {
      request.set_leave(true);
      stream->Write(request);
    }
  }
  if (!error.ok()) context->TryCancel();
  const grpc::Status status = stream->Finish();
  return error.ok() ? FromGrpc(status) : error;
}

}  // namespace conadv
