// SPDX-License-Identifier: Apache-2.0
// The certificate that a listener shows, from files that are renewed under it. Thread-safe.
#ifndef CONADV_SERVER_HTTP_TLS_IDENTITY_H_
#define CONADV_SERVER_HTTP_TLS_IDENTITY_H_

#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "common/thread/mutex.h"

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

class TlsIdentity {
 public:
  using Context = boost::asio::ssl::context;

  // Reads them. Errors name the file. `files` and `clock` outlive it.
  static absl::StatusOr<std::unique_ptr<TlsIdentity>> Open(TlsFiles paths, const FileSystem* files,
                                                           const Clock* clock);

  // For a connection that begins now. Looks at the files at most once a second; what is wrong with
  // them, as while they are being replaced, leaves what was there before, with a warning.
  std::shared_ptr<Context> Get();

 private:
  TlsIdentity(TlsFiles paths, const FileSystem* files, const Clock* clock)
      : paths_(std::move(paths)), files_(files), clock_(clock) {}
  absl::Status Read() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const TlsFiles paths_;
  const FileSystem* const files_;
  const Clock* const clock_;
  Mutex mutex_;
  absl::Time read_ ABSL_GUARDED_BY(mutex_);
  std::string cert_ ABSL_GUARDED_BY(mutex_);
  std::string key_ ABSL_GUARDED_BY(mutex_);
  absl::Status complaint_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<Context> context_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_TLS_IDENTITY_H_
