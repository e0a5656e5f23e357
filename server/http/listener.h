// SPDX-License-Identifier: Apache-2.0
// Listens for HTTP and answers what a handler says. Its memory and its time for each peer are
// bounded, and a slow one holds a connection, never a thread. Threads of its own; Start to
// destruction.
#ifndef CONADV_SERVER_HTTP_LISTENER_H_
#define CONADV_SERVER_HTTP_LISTENER_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/os/file.h"
#include "server/http/message.h"
#include "server/http/tls_identity.h"

namespace conadv {

struct HttpListenerOptions {
  std::string listen;  // HOST:PORT; port 0 picks a free one
  TlsFiles tls;        // empty: without TLS
  const FileSystem* files = &FileSystem::Real();
  const Clock* clock = &Clock::Real();
  // A probe is answered while a large answer is being made.
  int threads = 2;
  // One more takes the place of the one that has been there for the longest.
  size_t most_connections = 64;
  // For a request to come, from the connection's or the last answer's begin, and for an answer to
  // be taken.
  absl::Duration patience = absl::Seconds(30);
};

class HttpListener {
 public:
  // Called by several threads at once.
  using Handler = std::function<HttpResponse(const HttpRequest&)>;

  // UNAVAILABLE: the address is in use or not ours. Other errors: the certificate's.
  static absl::StatusOr<std::unique_ptr<HttpListener>> Start(HttpListenerOptions options,
                                                             Handler handler);
  // Waits for the handlers that are under way; connections end.
  ~HttpListener();

  // HOST:PORT, with the port that was picked.
  const std::string& address() const;
  // "http://HOST:PORT/", or with https.
  std::string url() const;

 private:
  class Loop;
  explicit HttpListener(std::unique_ptr<Loop> loop);
  const std::unique_ptr<Loop> loop_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_HTTP_LISTENER_H_
