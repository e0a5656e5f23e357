// SPDX-License-Identifier: Apache-2.0
#include "worker/client/coordinator_client.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/job/parse.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {
namespace {

constexpr absl::Duration kCallTimeout = absl::Seconds(5);

// On a channel of its own: one that has looked up a name too early does so again only after the
// resolver's back-off, which grows to two minutes.
absl::StatusOr<RunInfo> TryGetRun(const std::string& address, absl::Duration timeout) {
  const auto stub = v1::Coordinator::NewStub(MakeChannel(address));
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(timeout));
  v1::GetJobResponse response;
  CONADV_RETURN_IF_ERROR(FromGrpc(stub->GetJob(&context, v1::GetJobRequest(), &response)));
  RunInfo run;
  CONADV_ASSIGN_OR_RETURN(run.job, ValidateJob(response.job()));
  run.job_bytes = response.job().SerializeAsString();
  run.servers.assign(response.servers().begin(), response.servers().end());
  if (run.servers.empty()) return absl::InternalError("it names no servers");
  return run;
}

}  // namespace

CoordinatorClient::CoordinatorClient(std::shared_ptr<grpc::Channel> channel, std::string address)
    : channel_(std::move(channel)), address_(std::move(address)) {}

absl::StatusOr<RunInfo> CoordinatorClient::GetRun(absl::Duration timeout,
                                                  const std::function<bool()>& stopped) {
  const absl::Time deadline = Clock::Real().Now() + timeout;
  BackoffOptions options;
  options.budget = timeout;
  Backoff backoff(options, RandomIncarnation().value());
  for (;;) {
    if (stopped()) return absl::CancelledError("told to stop");
    const absl::Duration left = deadline - Clock::Real().Now();
    absl::StatusOr<RunInfo> run =
        TryGetRun(address_, std::clamp(left, absl::Seconds(1), kCallTimeout));
    if (run.ok()) return run;
    const absl::Status& status = run.status();
    const std::string who = absl::StrCat("coordinator ", address_, ": ");
    if (absl::IsUnimplemented(status)) {
      return absl::Status(status.code(), absl::StrCat(who, "what answers there is none: ",
                                                      status.message(), "; check the address"));
    }
    if (IsLastWord(status)) return absl::Status(status.code(), absl::StrCat(who, status.message()));
    const auto wait = backoff.Next(Clock::Real().Now());
    if (!wait.has_value()) {
      return absl::UnavailableError(
          absl::StrCat(who, "not reached within ", absl::FormatDuration(timeout), " (",
                       status.message(), "); is it running, and is the address right?"));
    }
    std::this_thread::sleep_for(absl::ToChronoNanoseconds(*wait));
  }
}

absl::Status CoordinatorClient::Report(const EvaluationReport& report) {
  v1::ReportRequest request;
  request.set_version(report.version.value());
  request.set_examples(report.examples);
  request.set_clean_accuracy(report.clean_accuracy);
  request.set_clean_loss(report.clean_loss);
  request.set_robust(report.robust);
  request.set_robust_accuracy(report.robust_accuracy);
  request.set_seconds(absl::ToDoubleSeconds(report.took));
  request.set_final(report.final);
  request.set_lineage(report.lineage.value());
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kCallTimeout));
  v1::ReportResponse response;
  return FromGrpc(v1::Coordinator::NewStub(channel_)->Report(&context, request, &response));
}

}  // namespace conadv
