// SPDX-License-Identifier: Apache-2.0
// Asks a server once, or again and again. Blocks.
#ifndef CONADV_CLI_INSPECT_LOOK_H_
#define CONADV_CLI_INSPECT_LOOK_H_

#include <functional>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/client/inspector_client.h"
#include "cli/client/server_wait.h"
#include "common/base/status_macros.h"

namespace conadv {

struct LookOptions {
  std::string server;
  WaitOptions wait;
  // Between two looks; none: there is one.
  std::optional<absl::Duration> interval;
  // What is said when the run is over, and that is seen by its server's leaving.
  std::function<void(absl::string_view)> ended;
};

// A server that is away is waited for. `show` says whether to look again. OK too if the pause said
// that it is enough, and at the run's end.
template <class Request, class Response>
absl::Status Look(const LookOptions& options, InspectorClient::Method<Request, Response> method,
                  const std::function<bool(const Response&)>& show) {
  InspectorClient client(options.server, options.wait);
  while (true) {
    Response response;
    const absl::Status status = client.Ask(method, &response);
    if (options.interval.has_value() && absl::IsCancelled(status)) return absl::OkStatus();
    if (options.interval.has_value() && absl::IsOutOfRange(status)) {
      options.ended(status.message());
      return absl::OkStatus();
    }
    CONADV_RETURN_IF_ERROR(status);
    if (options.interval.has_value()) client.Follow();
    if (!show(response) || !options.interval.has_value()) return absl::OkStatus();
    if (!options.wait.pause(*options.interval)) return absl::OkStatus();
  }
}

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_LOOK_H_
