// SPDX-License-Identifier: Apache-2.0
// The coordinator's unary calls, and what a process must know of a run. Calls block; thread-safe.
#ifndef CONADV_CLIENT_RUN_COORDINATOR_CLIENT_H_
#define CONADV_CLIENT_RUN_COORDINATOR_CLIENT_H_

#include <grpcpp/channel.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/job.h"
#include "common/protocol/evaluation.h"
#include "common/wire/client_credentials.h"

namespace conadv {

struct RunInfo {
  Job job;
  std::string job_bytes;             // as it was sent: equal for equal jobs
  std::vector<std::string> servers;  // HOST:PORT of each shard, in order
};

class CoordinatorClient {
 public:
  // `channel` is made with the credentials.
  CoordinatorClient(std::shared_ptr<grpc::Channel> channel, std::string address,
                    ClientCredentials credentials = {});

  // Waits for a coordinator that starts later, for at most `timeout`. `stopped` is asked now and
  // then; CANCELLED once it says so. UNAVAILABLE names the address and what the last try said;
  // INVALID_ARGUMENT: the job breaks a rule.
  absl::StatusOr<RunInfo> GetRun(absl::Duration timeout, const std::function<bool()>& stopped);

  absl::Status Report(const EvaluationResult& result);

  const std::string& address() const { return address_; }
  const std::shared_ptr<grpc::Channel>& channel() const { return channel_; }

 private:
  const std::shared_ptr<grpc::Channel> channel_;
  const std::string address_;
  const ClientCredentials credentials_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_RUN_COORDINATOR_CLIENT_H_
