// SPDX-License-Identifier: Apache-2.0
#include "common/wire/client_credentials.h"

#include <grpcpp/security/tls_certificate_provider.h>
#include <grpcpp/security/tls_credentials_options.h>

#include <map>
#include <string>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "common/security/token_list.h"
#include "common/security/watched_files.h"

namespace conadv {
namespace {

// The token, as its file says now.
class TokenPlugin final : public grpc::MetadataCredentialsPlugin {
 public:
  explicit TokenPlugin(std::unique_ptr<WatchedFiles<std::string>> token)
      : token_(std::move(token)) {}

  bool IsBlocking() const override { return false; }
  grpc::Status GetMetadata(grpc::string_ref, grpc::string_ref, const grpc::AuthContext&,
                           std::multimap<std::string, std::string>* metadata) override {
    metadata->emplace("authorization", absl::StrCat("Bearer ", *token_->Get()));
    return grpc::Status::OK;
  }
  // gRPC logs it.
  std::string DebugString() override { return "TokenPlugin"; }

 private:
  const std::unique_ptr<WatchedFiles<std::string>> token_;
};

std::shared_ptr<grpc::ChannelCredentials> TlsCredentials(const SecurityFiles& files) {
  grpc::experimental::TlsChannelCredentialsOptions options;
  options.set_certificate_provider(
      std::make_shared<grpc::experimental::FileWatcherCertificateProvider>(
          files.key, files.cert, files.ca, kSecretsIntervalSeconds));
  options.watch_root_certs();
  if (!files.cert.empty()) options.watch_identity_key_cert_pairs();
  return grpc::experimental::TlsCredentials(options);
}

}  // namespace

ClientCredentials::ClientCredentials() : channel_(grpc::InsecureChannelCredentials()) {}

absl::StatusOr<ClientCredentials> ClientCredentials::Create(const SecurityFiles& files,
                                                            const FileSystem* file_system,
                                                            const Clock* clock) {
  CONADV_RETURN_IF_ERROR(CheckClientFiles(files, *file_system, clock->WallNow()));
  if (files.ca.empty()) return ClientCredentials();
  std::shared_ptr<grpc::ChannelCredentials> channel = TlsCredentials(files);
  if (!files.token.empty()) {
    CONADV_ASSIGN_OR_RETURN(auto token, WatchedFiles<std::string>::OpenOne(files.token, ParseToken,
                                                                           file_system, clock));
    channel = grpc::CompositeChannelCredentials(
        channel,
        grpc::MetadataCredentialsFromPlugin(std::make_unique<TokenPlugin>(std::move(token))));
  }
  return ClientCredentials(std::move(channel));
}

}  // namespace conadv
