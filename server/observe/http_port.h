// SPDX-License-Identifier: Apache-2.0
// A server process's HTTP port: probes, JSON, metrics and the live page, of whichever Server the
// process runs. Thread-safe; Start to destruction.
#ifndef CONADV_SERVER_OBSERVE_HTTP_PORT_H_
#define CONADV_SERVER_OBSERVE_HTTP_PORT_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/security/authorizer.h"
#include "server/http/listener.h"
#include "server/http/routes.h"
#include "server/observe/goodput_keeper.h"
#include "server/observe/metrics_route.h"
#include "server/observe/server_window.h"

namespace conadv {

struct HttpPortOptions {
  // HOST:PORT each, of which port 0 picks a free one: the first that can be had is taken. None:
  // there is no HTTP port.
  std::vector<std::string> listen;
  // Its own certificate and key, where it has them.
  std::string cert;
  std::string key;
  // Of those who look. nullptr: all may.
  std::shared_ptr<Authorizer> authorizer;
};

class HttpPort {
 public:
  // Errors as HttpListener's, of the last address. REQUIRES: one.
  static absl::StatusOr<std::unique_ptr<HttpPort>> Start(const HttpPortOptions& options);

  // To be opened by each Server and closed before it goes.
  ServerWindow* window() { return &window_; }
  std::string url() const { return listener_->url(); }

 private:
  static absl::StatusOr<std::unique_ptr<HttpPort>> StartOn(const std::string& address,
                                                           const HttpPortOptions& options);
  explicit HttpPort(HttpRoutes::Options options)
      : routes_(std::move(options)), metrics_(&window_, &goodput_, &routes_) {}

  // What a process that is killed forgets of its goodput.
  static constexpr absl::Duration kGoodputInterval = absl::Seconds(1);

  ServerWindow window_;
  GoodputKeeper goodput_{&window_, &FileSystem::Real(), &Clock::Real(), kGoodputInterval};
  HttpRoutes routes_;
  MetricsRoute metrics_;
  std::unique_ptr<HttpListener> listener_;  // last: its threads use what is above
};

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_HTTP_PORT_H_
