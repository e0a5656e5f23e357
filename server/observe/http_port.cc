// SPDX-License-Identifier: Apache-2.0
#include "server/observe/http_port.h"

#include <utility>

#include "common/base/status_macros.h"
#include "common/wire/addresses.h"
#include "server/http/page_routes.h"
#include "server/observe/api.h"

namespace conadv {
namespace {

AuthorizeHttp AuthorizeWith(std::shared_ptr<Authorizer> authorizer) {
  if (authorizer == nullptr) return nullptr;
  return [authorizer = std::move(authorizer)](const CallerProof& proof) {
    return authorizer->Check(proof, AccessRole::kViewer, "looking at this run");
  };
}

}  // namespace

absl::StatusOr<std::unique_ptr<HttpPort>> HttpPort::Start(const HttpPortOptions& options) {
  absl::StatusOr<std::unique_ptr<HttpPort>> port = absl::UnavailableError("no address");
  for (const std::string& address : options.listen) {
    port = StartOn(address, options);
    if (!absl::IsUnavailable(port.status())) break;
  }
  return port;
}

absl::StatusOr<std::unique_ptr<HttpPort>> HttpPort::StartOn(const std::string& address,
                                                            const HttpPortOptions& options) {
  std::unique_ptr<HttpPort> port(
      new HttpPort({IsLoopback(address), AuthorizeWith(options.authorizer)}));
  AddPageRoutes(PageFiles(), &port->routes_);
  AddProbeRoutes(&port->window_, &port->routes_);
  AddApiRoutes(&port->window_, &port->routes_);
  HttpListenerOptions listener;
  listener.listen = address;
  listener.tls.cert = options.cert;
  listener.tls.key = options.key;
  listener.tls.ask_clients =
      options.authorizer != nullptr && options.authorizer->takes_certificates();
  CONADV_ASSIGN_OR_RETURN(
      port->listener_, HttpListener::Start(std::move(listener),
                                           [routes = &port->routes_](const HttpRequest& request) {
                                             return routes->Respond(request);
                                           }));
  return port;
}

}  // namespace conadv
