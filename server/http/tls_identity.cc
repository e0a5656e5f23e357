// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_identity.h"

#include <glog/logging.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

namespace ssl = boost::asio::ssl;

constexpr absl::Duration kInterval = absl::Seconds(1);

absl::Status Broken(const std::string& path, const boost::system::error_code& error) {
  return absl::InvalidArgumentError(absl::StrCat(path, ": ", error.message()));
}

absl::StatusOr<std::shared_ptr<ssl::context>> MakeContext(const TlsFiles& paths,
                                                          const std::string& cert,
                                                          const std::string& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX_set_min_proto_version(context->native_handle(), TLS1_2_VERSION);
  // A resumed session is taken for one of ours.
  static constexpr unsigned char kName[] = "conadv";
  SSL_CTX_set_session_id_context(context->native_handle(), kName, sizeof(kName) - 1);
  if (paths.ask_clients) {
    context->set_verify_mode(ssl::verify_peer);
    context->set_verify_callback([](bool, ssl::verify_context&) { return true; });
  }
  boost::system::error_code error;
  context->use_certificate_chain(boost::asio::buffer(cert), error);
  if (error) return Broken(paths.cert, error);
  // Fails if it is another certificate's.
  context->use_private_key(boost::asio::buffer(key), ssl::context::pem, error);
  if (error) return Broken(paths.key, error);
  return context;
}

void AppendPem(X509* certificate, std::string* pem) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> memory(BIO_new(BIO_s_mem()), &BIO_free);
  if (memory == nullptr || PEM_write_bio_X509(memory.get(), certificate) != 1) return;
  char* text = nullptr;
  const long size = BIO_get_mem_data(memory.get(), &text);
  pem->append(text, size);
}

}  // namespace

std::string PeerCertificates(ssl_st* connection) {
  std::string pem;
  const std::unique_ptr<X509, decltype(&X509_free)> own(SSL_get1_peer_certificate(connection),
                                                        &X509_free);
  if (own == nullptr) return pem;
  AppendPem(own.get(), &pem);
  // A server's view of the chain leaves out the peer's own.
  const STACK_OF(X509)* const chain = SSL_get_peer_cert_chain(connection);
  for (int i = 0; i < sk_X509_num(chain); ++i) AppendPem(sk_X509_value(chain, i), &pem);
  return pem;
}

absl::StatusOr<std::unique_ptr<TlsIdentity>> TlsIdentity::Open(TlsFiles paths,
                                                               const FileSystem* files,
                                                               const Clock* clock) {
  std::unique_ptr<TlsIdentity> identity(new TlsIdentity(std::move(paths), files, clock));
  MutexLock lock(&identity->mutex_);
  CONADV_RETURN_IF_ERROR(identity->Read());
  return identity;
}

std::shared_ptr<TlsIdentity::Context> TlsIdentity::Get() {
  MutexLock lock(&mutex_);
  if (clock_->Now() - read_ < kInterval) return context_;
  const absl::Status status = Read();
  if (!status.ok() && status != complaint_) {
    LOG(WARNING) << status.message() << "; the certificate from before goes on to count";
  }
  complaint_ = status;
  return context_;
}

absl::Status TlsIdentity::Read() {
  read_ = clock_->Now();
  CONADV_ASSIGN_OR_RETURN(std::string cert, files_->Read(paths_.cert));
  CONADV_ASSIGN_OR_RETURN(std::string key, files_->Read(paths_.key));
  if (context_ != nullptr && cert == cert_ && key == key_) return absl::OkStatus();
  CONADV_ASSIGN_OR_RETURN(context_, MakeContext(paths_, cert, key));
  cert_ = std::move(cert);
  key_ = std::move(key);
  return absl::OkStatus();
}

}  // namespace conadv
