// SPDX-License-Identifier: Apache-2.0
// Asks a coordinator for its job and servers, which may start later than who asks. Blocks; no
// state.
#ifndef CONADV_CLIENT_RUN_FIND_RUN_H_
#define CONADV_CLIENT_RUN_FIND_RUN_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/wire/client_credentials.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {

struct FindRunOptions {
  bool job_only = false;        // else it is answered once every shard has joined
  absl::Duration timeout;       // in all
  absl::Duration most_for_try;  // of one question
  bool wait_for_ready = false;  // a try goes on connecting, rather than to fail at once
  ClientCredentials credentials;
  std::function<bool()> stopped = [] { return false; };  // asked now and then: whether to give up
  // Told why there is no answer yet, if that takes longer than a second, or the server's
  // certificate is why: once, and again when the reason is another.
  std::function<void(const absl::Status&)> waiting = [](const absl::Status&) {};
};

// One question. The server's errors, or gRPC's.
absl::StatusOr<v1::GetJobResponse> AskForRun(const std::string& address, absl::Duration timeout,
                                             const FindRunOptions& options);

// Asks until there is an answer. CANCELLED: `stopped` said so. UNAVAILABLE: not within the timeout,
// with what the last try said. Others: the last word of who answers there.
absl::StatusOr<v1::GetJobResponse> FindRun(const std::string& address,
                                           const FindRunOptions& options);

}  // namespace conadv

#endif  // CONADV_CLIENT_RUN_FIND_RUN_H_
