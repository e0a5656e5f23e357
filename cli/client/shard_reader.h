// SPDX-License-Identifier: Apache-2.0
// What one shard of a running job says of itself. Calls block; a shard that is away is an error at
// once.
#ifndef CONADV_CLI_CLIENT_SHARD_READER_H_
#define CONADV_CLI_CLIENT_SHARD_READER_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/tensor/layout.h"
#include "common/wire/client_credentials.h"
#include "conadv/v1/parameter_server.grpc.pb.h"

namespace conadv {

// What a person reads of a call to `who` ("server-1 at a:7000") that failed.
absl::Status FailureOf(const std::string& who, const absl::Status& status);

class ShardReader {
 public:
  // Every call ends by `deadline`, by Clock::Real(). Errors begin with `who`.
  ShardReader(std::string who, const std::string& address, absl::Time deadline,
              const ClientCredentials& credentials);

  // Of a run that has not begun; then every shard has joined, too. REQUIRES: the server has
  // answered something: what says nothing is taken for one without weights.
  absl::Status WaitForFirstVersion();
  // REQUIRES: it has a version.
  absl::StatusOr<Layout> ReadLayout(uint32_t shards);

 private:
  const std::string who_;
  const absl::Time deadline_;
  std::unique_ptr<v1::ParameterServer::Stub> stub_;
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_SHARD_READER_H_
