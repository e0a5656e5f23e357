// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/access/caller.h"

#include <grpc/grpc_security_constants.h>

namespace conadv {

Caller::Caller(const CallMetadata& metadata, const grpc::AuthContext* connection) {
  const auto header = metadata.find("authorization");
  if (header != metadata.end()) {
    authorization_ = absl::string_view(header->second.data(), header->second.size());
  }
  if (connection == nullptr) return;
  // OpenSSL leaves the peer's own certificate out of the chain that a server sees.
  for (const char* const property :
       {GRPC_X509_PEM_CERT_PROPERTY_NAME, GRPC_X509_PEM_CERT_CHAIN_PROPERTY_NAME}) {
    for (const grpc::string_ref& pem : connection->FindPropertyValues(property)) {
      certificates_.append(pem.data(), pem.size());
    }
  }
}

CallerProof Caller::proof() const {
  CallerProof proof;
  proof.authorization = authorization_;
  if (!certificates_.empty()) proof.certificates = certificates_;
  return proof;
}

absl::StatusOr<AccessRole> RoleOf(const grpc::CallbackServerContext& context,
                                  Authorizer* authorizer) {
  if (authorizer == nullptr) return AccessRole::kAdmin;
  const std::shared_ptr<const grpc::AuthContext> connection = context.auth_context();
  return authorizer->RoleOf(Caller(context.client_metadata(), connection.get()).proof());
}

}  // namespace conadv
