// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/inspect.h"

#include <unistd.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "cli/client/credentials.h"
#include "cli/client/inspector_client.h"
#include "cli/client/server_wait.h"
#include "cli/command/security_flags.h"
#include "cli/command/server_flag.h"
#include "cli/format/json_output.h"
#include "cli/inspect/look.h"
#include "cli/inspect/render.h"
#include "cli/inspect/staleness_screen.h"
#include "cli/inspect/terminal_screen.h"
#include "cli/process/supervisor.h"
#include "common/base/clock.h"
#include "common/base/status_macros.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {
namespace {

using Stub = v1::Inspector::Stub;

constexpr absl::Duration kPatience = absl::Seconds(5);
// As long as a worker's, by default.
constexpr absl::Duration kWatchPatience = absl::Seconds(60);

const Flag kWatchFlag = {"watch", FlagKind::kSwitch, "", "false", "look again and again"};
const Flag kIntervalFlag = {"interval", FlagKind::kSeconds, "SECONDS", "1", "between two looks"};
const Flag kTimeoutFlag = {"timeout", FlagKind::kSeconds, "SECONDS", "",
                           "how long a server that is away is waited for; else 5, or 60 with "
                           "--watch"};
const Flag kJsonFlag = {"json", FlagKind::kSwitch, "", "false", "each answer as a line of JSON"};

std::vector<Flag> FlagsOfCommand() {
  return WithSecurityFlags({ServerFlag(), kWatchFlag, kIntervalFlag, kTimeoutFlag, kJsonFlag});
}

// Shows one answer: a line of JSON, or text that replaces the one before on a terminal.
void Print(const google::protobuf::Message& answer, const std::string& text,
           const FlagValues& flags, std::ostream& out) {
  if (flags.Switch("json")) {
    out << JsonLine(ToJson(answer)) << "\n" << std::flush;
  } else if (!flags.Switch("watch")) {
    out << text << std::flush;
  } else {
    out << (TerminalScreen::Usable() ? absl::StrCat("\033[H\033[2J", text)
                                     : absl::StrCat(text, "\n"))
        << std::flush;
  }
}

// As often as the servers allow.
absl::Duration IntervalOf(const FlagValues& flags) {
  return std::clamp(flags.Seconds("interval"), absl::Milliseconds(50), absl::Hours(1));
}

// What the flags say. `interrupts` is made if it watches; what it is told ends the pauses.
absl::StatusOr<LookOptions> LookOptionsOf(const FlagValues& flags,
                                          std::unique_ptr<Supervisor>* interrupts) {
  LookOptions options;
  CONADV_ASSIGN_OR_RETURN(options.server, ServerOf(flags));
  CONADV_ASSIGN_OR_RETURN(const ClientCredentials credentials, CredentialsOf(flags));
  const bool watch = flags.Switch("watch");
  options.wait = CommandWait(flags.Given("timeout") ? flags.Seconds("timeout")
                             : watch                ? kWatchPatience
                                                    : kPatience,
                             credentials);
  if (!watch) return options;
  options.interval = IntervalOf(flags);
  options.ended = [](absl::string_view message) { std::cerr << message << "\n"; };
  CONADV_ASSIGN_OR_RETURN(*interrupts, Supervisor::Create());
  options.wait.pause = [supervisor = interrupts->get()](absl::Duration time) {
    return supervisor->Next(Clock::Real().Now() + time).kind != ProcessEvent::Kind::kInterrupted;
  };
  return options;
}

// Asks once, or at every interval until interrupted or `over`.
template <class Request, class Response>
absl::Status Ask(const FlagValues& flags, std::ostream& out,
                 InspectorClient::Method<Request, Response> method,
                 const std::function<std::string(const Response&)>& render,
                 const std::function<bool(const Response&)>& over) {
  std::unique_ptr<Supervisor> interrupts;
  CONADV_ASSIGN_OR_RETURN(const LookOptions options, LookOptionsOf(flags, &interrupts));
  return Look<Request, Response>(options, method, [&](const Response& response) {
    Print(response, render(response), flags, out);
    return !over(response) && out.good();
  });
}

template <class Response>
bool Never(const Response&) {
  return false;
}

absl::Status ShowStatus(const FlagValues& flags, std::ostream& out) {
  return Ask<v1::StatusRequest, v1::StatusResponse>(
      flags, out, &Stub::Status, RenderStatus, [](const v1::StatusResponse& status) {
        return status.phase() == v1::StatusResponse::FINISHED;
      });
}

absl::Status ShowWorkers(const FlagValues& flags, std::ostream& out) {
  return Ask<v1::WorkersRequest, v1::WorkersResponse>(flags, out, &Stub::Workers, RenderWorkers,
                                                      Never<v1::WorkersResponse>);
}

absl::Status ShowSnapshots(const FlagValues& flags, std::ostream& out) {
  return Ask<v1::SnapshotsRequest, v1::SnapshotsResponse>(
      flags, out, &Stub::Snapshots,
      [](const v1::SnapshotsResponse& snapshots) {
        return RenderSnapshots(snapshots, Clock::Real().WallNow());
      },
      Never<v1::SnapshotsResponse>);
}

absl::Status ShowStaleness(const FlagValues& flags, std::ostream& out) {
  if (flags.Switch("watch") && !flags.Switch("json") && TerminalScreen::Usable()) {
    std::unique_ptr<Supervisor> interrupts;
    CONADV_ASSIGN_OR_RETURN(LookOptions options, LookOptionsOf(flags, &interrupts));
    return WatchStalenessOnScreen(std::move(options), interrupts.get(), &out);
  }
  return Ask<v1::StalenessRequest, v1::StalenessResponse>(
      flags, out, &Stub::Staleness,
      [](const v1::StalenessResponse& staleness) {
        return RenderStaleness(staleness, Clock::Real().WallNow());
      },
      Never<v1::StalenessResponse>);
}

}  // namespace

Command StatusCommand() {
  return {"status",
          "how far a running job is",
          "",
          "conadv status --server=127.0.0.1:7000 --watch",
          FlagsOfCommand(),
          ShowStatus};
}

Command StalenessCommand() {
  return {
      "staleness",
      "how old the weights of attacks and updates are, and where time and bytes go",
      "Attack staleness: versions between the weights of the attack and those of the update.\n"
      "Update staleness: versions between the weights of the gradient and those it is applied "
      "to.\n"
      "With --watch on a terminal: a screen of what it is now and was before, who waits for what, "
      "and\n"
      "who made which version, until the run is over or q is pressed.\n",
      "conadv staleness --server=127.0.0.1:7000 --watch --interval=2",
      FlagsOfCommand(),
      ShowStaleness};
}

Command WorkersCommand() {
  return {"workers",
          "who takes part, and what each works on",
          "",
          "conadv workers --server=127.0.0.1:7000",
          FlagsOfCommand(),
          ShowWorkers};
}

Command SnapshotsCommand() {
  return {"snapshots",
          "which versions of the weights a server keeps",
          "",
          "conadv snapshots --server=127.0.0.1:7000",
          FlagsOfCommand(),
          ShowSnapshots};
}

}  // namespace conadv
