// SPDX-License-Identifier: Apache-2.0
// Waiting for a server that is away: for whom and why is said once, until it is there again, the
// time is up, or somebody is tired of it. One thread.
#ifndef CONADV_CLI_CLIENT_SERVER_WAIT_H_
#define CONADV_CLI_CLIENT_SERVER_WAIT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/wire/client_credentials.h"

namespace conadv {

// Long enough for a busy server's answer, short enough to look again for one that has moved.
inline constexpr absl::Duration kAnswer = absl::Seconds(5);

struct WaitOptions {
  absl::Duration timeout = absl::Seconds(60);
  // Where people read for whom we wait; nullptr: nowhere.
  std::ostream* notes = nullptr;
  // Lets that much time pass; false: wait no longer.
  std::function<bool(absl::Duration)> pause;
  const Clock* clock = &Clock::Real();
  ClientCredentials credentials;
};

// The pause of a command that only a signal's default ends.
bool PauseOnly(absl::Duration time);

// Of a command that waits so and says on standard error for whom.
WaitOptions CommandWait(absl::Duration timeout, ClientCredentials credentials = {});

class ServerWait {
 public:
  explicit ServerWait(const WaitOptions& options);

  // Time counts from here on.
  void Begin();
  absl::Duration left() const;
  const ClientCredentials& credentials() const { return options_.credentials; }
  // Whether the pause has said that nobody waits any longer.
  bool Interrupted() const { return !options_.pause(absl::ZeroDuration()); }
  // Of a call that may take `most`, or what is left.
  void Limit(grpc::ClientContext* context, absl::Duration most) const;

  // `who` ("server-1 at a:7000"), whose address that is, failed with `why`, which is transient
  // (IsTransient). A channel to it once it can be reached. DEADLINE_EXCEEDED, in words: the time is
  // up. CANCELLED: `pause` said so.
  absl::StatusOr<std::shared_ptr<grpc::Channel>> For(const std::string& who,
                                                     const std::string& address,
                                                     const absl::Status& why);

 private:
  void Note(const std::string& text);

  const WaitOptions options_;
  absl::Time began_;
  Backoff backoff_;
  std::string noted_;
};

// What a person needs of a failed call's message: the reason, without gRPC's frame and without
// `who` before it.
std::string ReasonOf(const absl::Status& status, absl::string_view who);

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_SERVER_WAIT_H_
