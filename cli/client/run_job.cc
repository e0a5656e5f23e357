// SPDX-License-Identifier: Apache-2.0
#include "cli/client/run_job.h"

#include "absl/strings/str_cat.h"
#include "client/run/find_run.h"
#include "common/job/parse.h"

namespace conadv {

absl::StatusOr<std::string> FetchJobText(const std::string& coordinator, absl::Duration timeout,
                                         const ClientCredentials& credentials) {
  FindRunOptions options;
  options.job_only = true;
  options.timeout = timeout;
  options.credentials = credentials;
  options.most_for_try = absl::Seconds(5);
  const absl::StatusOr<v1::GetJobResponse> run = FindRun(coordinator, options);
  if (run.ok()) return JobText(run->job());
  return absl::Status(run.status().code(),
                      absl::StrCat("coordinator ", coordinator, ": ", run.status().message()));
}

}  // namespace conadv
