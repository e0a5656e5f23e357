// SPDX-License-Identifier: Apache-2.0
#include "cli/client/server_wait.h"

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"
#include "common/base/printable.h"
#include "common/base/random.h"
#include "common/thread/wait.h"
#include "common/wire/channel.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

// A channel that has looked up a name too early does so again only after the resolver's back-off,
// which grows to two minutes: then a new one looks anew.
constexpr absl::Duration kChannel = absl::Seconds(2);
constexpr absl::Duration kLook = absl::Milliseconds(100);

// gRPC's words, and what they mean.
constexpr std::pair<absl::string_view, absl::string_view> kPlainWords[] = {
    {"Deadline Exceeded", "it does not answer"},
    {"connection attempt timed out before receiving SETTINGS frame",
     "somebody takes the connection and does not answer"},
    {"Trying to connect an http1.x server", "an HTTP/1 server answers there"},
    {"Socket closed",
     "the connection was closed, as a server with TLS does to who has none (--tls_ca=FILE)"},
};

}  // namespace

bool PauseOnly(absl::Duration time) {
  WaitFor(time, [] { return false; });
  return true;
}

WaitOptions CommandWait(absl::Duration timeout, ClientCredentials credentials) {
  WaitOptions options;
  options.timeout = timeout;
  options.notes = &std::cerr;
  options.pause = PauseOnly;
  options.credentials = std::move(credentials);
  return options;
}

std::string ReasonOf(const absl::Status& status, absl::string_view who) {
  absl::string_view text = status.message();
  absl::ConsumePrefix(&text, absl::StrCat(who, ": "));
  // gRPC's report of a connection that failed ends with the reason, after the peer's addresses.
  if (absl::StrContains(text, "last error: ") || absl::StrContains(text, "is_balancer=")) {
    text.remove_prefix(text.rfind(": ") + 2);
  }
  for (const auto& [grpc, plain] : kPlainWords) {
    if (text == grpc) text = plain;
  }
  return Printable(text.empty() ? absl::StatusCodeToString(status.code()) : text);
}

ServerWait::ServerWait(const WaitOptions& options)
    : options_(options),
      began_(options.clock->Now()),
      backoff_({absl::Milliseconds(50), absl::Milliseconds(500), absl::InfiniteDuration()},
               RandomIncarnation().value()) {}

void ServerWait::Begin() {
  began_ = options_.clock->Now();
  backoff_.Reset();
  noted_.clear();
}

absl::Duration ServerWait::left() const {
  return std::max(options_.timeout - (options_.clock->Now() - began_), absl::ZeroDuration());
}

void ServerWait::Limit(grpc::ClientContext* context, absl::Duration most) const {
  context->set_deadline(DeadlineIn(std::min(most, left())));
}

void ServerWait::Note(const std::string& text) {
  if (options_.notes == nullptr || text == noted_) return;
  *options_.notes << text << "\n" << std::flush;
  noted_ = text;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> ServerWait::For(const std::string& who,
                                                               const std::string& address,
                                                               const absl::Status& why) {
  const std::string reason = ReasonOf(why, who);
  const auto enough = [&] {
    return absl::DeadlineExceededError(absl::StrCat(
        "gave up after ", absl::FormatDuration(options_.timeout), " of waiting for ", who, ": ",
        reason, "; is the job running there? --timeout=SECONDS waits longer"));
  };
  if (left() <= absl::ZeroDuration()) return enough();
  Note(absl::StrCat("waiting for ", who, ": ", reason));
  // It may be there and yet fail.
  const std::optional<absl::Duration> pause = backoff_.Next(options_.clock->Now(), why);
  if (!options_.pause(std::min(pause.value_or(kLook), left()))) {
    return absl::CancelledError("interrupted");
  }
  while (true) {
    const std::shared_ptr<grpc::Channel> channel = MakeChannel(address, options_.credentials);
    for (absl::Duration waited; waited < kChannel; waited += kLook) {
      if (left() <= absl::ZeroDuration()) return enough();
      // A channel connects, and goes on connecting, while somebody polls it.
      const absl::Duration look = std::min(kLook, left());
      if (channel->WaitForConnected(DeadlineIn(look))) return channel;
      if (!options_.pause(absl::ZeroDuration())) return absl::CancelledError("interrupted");
    }
  }
}

}  // namespace conadv
