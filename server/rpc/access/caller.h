// SPDX-License-Identifier: Apache-2.0
// What a gRPC call shows of who makes it. Pure functions.
#ifndef CONADV_SERVER_RPC_ACCESS_CALLER_H_
#define CONADV_SERVER_RPC_ACCESS_CALLER_H_

#include <grpcpp/security/auth_context.h>
#include <grpcpp/server_context.h>
#include <grpcpp/support/string_ref.h>

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/security/authorizer.h"

namespace conadv {

using CallMetadata = std::multimap<grpc::string_ref, grpc::string_ref>;

// The proof and what it points into.
class Caller {
 public:
  // `metadata` outlives it.
  Caller(const CallMetadata& metadata, const grpc::AuthContext* connection);

  CallerProof proof() const;

 private:
  std::optional<absl::string_view> authorization_;
  std::string certificates_;
};

// Of a call that is under way. nullptr: everybody is an admin.
absl::StatusOr<AccessRole> RoleOf(const grpc::CallbackServerContext& context,
                                  Authorizer* authorizer);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_ACCESS_CALLER_H_
