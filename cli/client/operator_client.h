// SPDX-License-Identifier: Apache-2.0
// What changes a running job, asked of its coordinator. Calls block. One thread.
#ifndef CONADV_CLI_CLIENT_OPERATOR_CLIENT_H_
#define CONADV_CLI_CLIENT_OPERATOR_CLIENT_H_

#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/wire/client_credentials.h"
#include "conadv/v1/operator.grpc.pb.h"

namespace conadv {

class OperatorClient {
 public:
  // Each call takes at most `timeout`. None is made again by itself: whether one that broke was
  // carried out is not known.
  OperatorClient(std::string address, absl::Duration timeout, const ClientCredentials& credentials);

  absl::StatusOr<v1::SaveCheckpointResponse> SaveCheckpoint();
  absl::StatusOr<v1::DrainResponse> Drain(const std::string& worker);
  absl::StatusOr<v1::SetResponse> Set(const v1::SetRequest& request);

 private:
  absl::Status Call(const std::function<grpc::Status(grpc::ClientContext*)>& call) const;

  std::string address_;
  absl::Duration timeout_;
  std::unique_ptr<v1::Operator::Stub> stub_;
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_OPERATOR_CLIENT_H_
