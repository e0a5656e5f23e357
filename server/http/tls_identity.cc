// SPDX-License-Identifier: Apache-2.0
#include "server/http/tls_identity.h"

#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

namespace ssl = boost::asio::ssl;

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

absl::StatusOr<std::unique_ptr<TlsIdentity>> OpenTlsIdentity(const TlsFiles& paths,
                                                             const FileSystem* files,
                                                             const Clock* clock) {
  const auto make = [paths](const std::vector<std::string>& texts) {
    return MakeContext(paths, texts[0], texts[1]);
  };
  return TlsIdentity::Open({paths.cert, paths.key}, make, files, clock);
}

}  // namespace conadv
