// SPDX-License-Identifier: Apache-2.0
// A server's end of TLS, and the one door that every call comes through: gRPC asks at it before any
// method is called. Stateless.
#ifndef CONADV_SERVER_RPC_ACCESS_SERVER_CREDENTIALS_H_
#define CONADV_SERVER_RPC_ACCESS_SERVER_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "common/security/authorizer.h"
#include "common/security/security_files.h"

namespace conadv {

// Without a certificate: no encryption, and no door. Otherwise who calls is asked for a proof by
// `authorizer`, and for the least role of the method. Certificates of clients are asked for and not
// insisted on, and judged at each call: so whoever has none, or an old one, is told so, and one
// that ends while a connection lives ends with it. Files are read again when they change.
std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const SecurityFiles& files, std::shared_ptr<Authorizer> authorizer);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_ACCESS_SERVER_CREDENTIALS_H_
