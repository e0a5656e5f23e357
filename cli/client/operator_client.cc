// SPDX-License-Identifier: Apache-2.0
#include "cli/client/operator_client.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "cli/client/server_wait.h"
#include "common/base/status_macros.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"

namespace conadv {

OperatorClient::OperatorClient(std::string address, absl::Duration timeout,
                               const ClientCredentials& credentials)
    : address_(std::move(address)),
      timeout_(timeout),
      stub_(v1::Operator::NewStub(MakeChannel(address_, credentials))) {}

absl::Status OperatorClient::Call(
    const std::function<grpc::Status(grpc::ClientContext*)>& call) const {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout_));
  const absl::Status status = FromGrpc(call(&context));
  switch (status.code()) {
    case absl::StatusCode::kOk: return status;
    case absl::StatusCode::kUnimplemented:
      return absl::FailedPreconditionError(absl::StrCat(
          address_, ": something else than a conadv server of this version answers there"));
    case absl::StatusCode::kDeadlineExceeded:
      return absl::DeadlineExceededError(absl::StrCat(address_, ": no answer within ",
                                                      absl::FormatDuration(timeout_),
                                                      "; it may still do what was asked"));
    case absl::StatusCode::kUnavailable:
      return absl::UnavailableError(absl::StrCat(address_, ": ", ReasonOf(status, address_)));
    default: return absl::Status(status.code(), absl::StrCat(address_, ": ", status.message()));
  }
}

absl::StatusOr<v1::SaveCheckpointResponse> OperatorClient::SaveCheckpoint() {
  v1::SaveCheckpointResponse response;
  CONADV_RETURN_IF_ERROR(Call([&](grpc::ClientContext* context) {
    return stub_->SaveCheckpoint(context, v1::SaveCheckpointRequest(), &response);
  }));
  return response;
}

absl::StatusOr<v1::DrainResponse> OperatorClient::Drain(const std::string& worker) {
  v1::DrainRequest request;
  request.set_worker(worker);
  v1::DrainResponse response;
  CONADV_RETURN_IF_ERROR(Call(
      [&](grpc::ClientContext* context) { return stub_->Drain(context, request, &response); }));
  return response;
}

absl::StatusOr<v1::SetResponse> OperatorClient::Set(const v1::SetRequest& request) {
  v1::SetResponse response;
  CONADV_RETURN_IF_ERROR(
      Call([&](grpc::ClientContext* context) { return stub_->Set(context, request, &response); }));
  return response;
}

}  // namespace conadv
