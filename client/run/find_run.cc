// SPDX-License-Identifier: Apache-2.0
#include "client/run/find_run.h"

#include <grpcpp/client_context.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/thread/wait.h"
#include "common/wire/certificate_problem.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {
namespace {

constexpr absl::Duration kLeastForTry = absl::Seconds(1);
// Peers that are started together find each other within that, and need not say that they wait.
constexpr absl::Duration kPatience = absl::Seconds(1);

}  // namespace

absl::StatusOr<v1::GetJobResponse> AskForRun(const std::string& address, absl::Duration timeout,
                                             const FindRunOptions& options) {
  grpc::ClientContext context;
  context.set_wait_for_ready(options.wait_for_ready);
  context.set_deadline(DeadlineIn(timeout));
  v1::GetJobRequest request;
  request.set_job_only(options.job_only);
  v1::GetJobResponse response;
  // On a channel of its own: one that has looked up a name too early does so again only after the
  // resolver's back-off, which grows to two minutes.
  const absl::Status status =
      FromGrpc(v1::Coordinator::NewStub(MakeChannel(address, options.credentials))
                   ->GetJob(&context, request, &response));
  if (!status.ok()) return status;
  return response;
}

namespace {

// A try that waits for a connection and gets none does not say why. One that does not wait does.
absl::Status WhyNoAnswer(const std::string& address, FindRunOptions options,
                         const absl::Status& status) {
  if (!options.wait_for_ready || !absl::IsDeadlineExceeded(status)) return status;
  options.wait_for_ready = false;
  const absl::Status why = AskForRun(address, kLeastForTry, options).status();
  return IsCertificateProblem(why) ? why : status;
}

}  // namespace

absl::StatusOr<v1::GetJobResponse> FindRun(const std::string& address,
                                           const FindRunOptions& options) {
  const absl::Time begin = Clock::Real().Now();
  const absl::Time deadline = begin + options.timeout;
  std::string told;
  BackoffOptions backoff_options;
  backoff_options.budget = options.timeout;
  Backoff backoff(backoff_options, RandomIncarnation().value());
  while (true) {
    if (options.stopped()) return absl::CancelledError("told to stop");
    const absl::Duration left = deadline - Clock::Real().Now();
    // The last try gets time enough to be answered.
    const absl::Duration least = std::min(kLeastForTry, options.timeout);
    absl::StatusOr<v1::GetJobResponse> run =
        AskForRun(address, std::min(std::max(left, least), options.most_for_try), options);
    if (run.ok() || IsLastWord(run.status())) return run;
    const absl::Status why = WhyNoAnswer(address, options, run.status());
    const absl::Time now = Clock::Real().Now();
    // Time alone does not mend a certificate, though somebody may meanwhile: said at once.
    const bool tell = IsCertificateProblem(why) || now - begin >= kPatience;
    if (tell && told != why.message()) {
      told = std::string(why.message());
      options.waiting(why);
    }
    const std::optional<absl::Duration> wait = backoff.Next(now);
    if (!wait.has_value()) return absl::UnavailableError(why.message());
    WaitFor(*wait, options.stopped);
  }
}

}  // namespace conadv
