// SPDX-License-Identifier: Apache-2.0
#include "client/run/coordinator_client.h"

#include <glog/logging.h>
#include <grpcpp/client_context.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "client/run/find_run.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);

absl::StatusOr<RunInfo> RunInfoOf(const v1::GetJobResponse& response) {
  RunInfo run;
  CONADV_ASSIGN_OR_RETURN(run.job, ValidateJob(response.job()));
  run.job_bytes = response.job().SerializeAsString();
  run.servers.assign(response.servers().begin(), response.servers().end());
  if (run.servers.empty()) return absl::InternalError("it names no servers");
  return run;
}

}  // namespace

CoordinatorClient::CoordinatorClient(std::shared_ptr<grpc::Channel> channel, std::string address,
                                     ClientCredentials credentials)
    : channel_(std::move(channel)),
      address_(std::move(address)),
      credentials_(std::move(credentials)) {}

absl::StatusOr<RunInfo> CoordinatorClient::GetRun(absl::Duration timeout,
                                                  const std::function<bool()>& stopped) {
  FindRunOptions options;
  options.timeout = timeout;
  options.most_for_try = kCallTimeout;
  options.stopped = stopped;
  options.credentials = credentials_;
  options.waiting = [this, timeout](const absl::Status& why) {
    LOG(WARNING) << "waiting up to " << timeout << " for the coordinator at " << address_ << ": "
                 << why.message();
  };
  const absl::StatusOr<v1::GetJobResponse> found = FindRun(address_, options);
  if (absl::IsCancelled(found.status())) return found.status();
  const std::string who = absl::StrCat("coordinator ", address_, ": ");
  if (absl::IsUnimplemented(found.status())) {
    return absl::Status(found.status().code(),
                        absl::StrCat(who, "what answers there is none: ", found.status().message(),
                                     "; check the address"));
  }
  if (absl::IsUnavailable(found.status())) {
    return absl::UnavailableError(
        absl::StrCat(who, "not reached within ", absl::FormatDuration(timeout), " (",
                     found.status().message(), "); is it running, and is the address right?"));
  }
  absl::StatusOr<RunInfo> run = found.ok() ? RunInfoOf(*found) : found.status();
  if (run.ok()) return run;
  return absl::Status(run.status().code(), absl::StrCat(who, run.status().message()));
}

absl::Status CoordinatorClient::Report(const EvaluationResult& result) {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kCallTimeout));
  v1::ReportResponse response;
  return FromGrpc(v1::Coordinator::NewStub(channel_)->Report(&context, ToProto(result), &response));
}

}  // namespace conadv
