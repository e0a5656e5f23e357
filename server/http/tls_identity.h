// SPDX-License-Identifier: Apache-2.0
// The certificate that a listener shows, from files that are renewed under it. Thread-safe.
#ifndef CONADV_SERVER_HTTP_TLS_IDENTITY_H_
#define CONADV_SERVER_HTTP_TLS_IDENTITY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/security/watched_files.h"

namespace boost::asio::ssl {
class context;
}

struct ssl_st;

namespace conadv {

// What the peer of a connection showed, its own certificate first; PEM, empty without.
std::string PeerCertificates(ssl_st* connection);

struct TlsFiles {
  std::string cert;  // PEM, with what leads to the root
  std::string key;   // of it
  // Clients are asked for certificates, which they need not have; nobody looks at them here.
  bool ask_clients = false;
};

// What connections that begin now are made with.
using TlsIdentity = WatchedFiles<std::shared_ptr<boost::asio::ssl::context>>;

// Reads them. Errors name the file. `files` and `clock` outlive it.
absl::StatusOr<std::unique_ptr<TlsIdentity>> OpenTlsIdentity(const TlsFiles& paths,
                                                             const FileSystem* files,
                                                             const Clock* clock);

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_TLS_IDENTITY_H_
