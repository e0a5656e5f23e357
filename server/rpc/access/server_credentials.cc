// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/access/server_credentials.h"

#include <grpcpp/security/auth_metadata_processor.h>
#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <utility>

#include "absl/strings/string_view.h"
#include "common/security/watched_files.h"
#include "common/wire/status.h"
#include "server/rpc/access/caller.h"

namespace conadv {
namespace {

class Door final : public grpc::AuthMetadataProcessor {
 public:
  explicit Door(std::shared_ptr<Authorizer> authorizer) : authorizer_(std::move(authorizer)) {}

  // It reads a small file once a second at most.
  bool IsBlocking() const override { return false; }

  grpc::Status Process(const InputMetadata& metadata, grpc::AuthContext* connection,
                       OutputMetadata* /*consumed*/, OutputMetadata* /*response*/) override {
    const auto path = metadata.find(":path");
    const absl::string_view method =
        path == metadata.end() ? absl::string_view()
                               : absl::string_view(path->second.data(), path->second.size());
    const Caller caller(metadata, connection);
    return ToGrpc(authorizer_->Check(caller.proof(), LeastRoleFor(method), method));
  }

 private:
  const std::shared_ptr<Authorizer> authorizer_;
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> MakeServerCredentials(
    const SecurityFiles& files, std::shared_ptr<Authorizer> authorizer) {
  if (files.cert.empty()) return grpc::InsecureServerCredentials();
  grpc::experimental::TlsServerCredentialsOptions options(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.cert, kSecretsIntervalSeconds));
  options.watch_identity_key_cert_pairs();
  options.set_cert_request_type(authorizer->takes_certificates()
                                    ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_BUT_DONT_VERIFY
                                    : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE);
  std::shared_ptr<grpc::ServerCredentials> credentials =
      grpc::experimental::TlsServerCredentials(options);
  credentials->SetAuthMetadataProcessor(std::make_shared<Door>(std::move(authorizer)));
  return credentials;
}

}  // namespace conadv
