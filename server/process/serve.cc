// SPDX-License-Identifier: Apache-2.0
#include "server/process/serve.h"

#include <glog/logging.h>

#include <memory>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/os/resident_memory.h"
#include "common/thread/wait.h"

namespace conadv {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(20);
constexpr absl::Duration kLongestWait = absl::Seconds(2);

absl::Status Stopped() { return absl::CancelledError("stopped before the run was over"); }

}  // namespace

absl::Status Serve(const ServeOptions& options,
                   const std::function<void(const std::string&)>& listening,
                   const std::function<bool()>& stopped) {
  LaunchOptions launch = options.launch;
  launch.process_bytes = ResidentMemory().bytes();
  std::unique_ptr<HttpPort> http;
  if (!options.http.listen.empty()) {
    CONADV_ASSIGN_OR_RETURN(http, HttpPort::Start(options.http));
    launch.window = http->window();
    options.watched_at(http->url());
  }
  Backoff backoff({kFirstWait, kLongestWait, options.patience}, RandomIncarnation().value());
  bool listened = false;
  while (true) {
    absl::StatusOr<v1::Job> job = options.job();
    if (!job.ok()) return stopped() ? Stopped() : job.status();
    launch.job = *std::move(job);
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(launch);
    absl::Status status = server.status();
    if (server.ok()) {
      launch.listen = (*server)->address();
      if (!std::exchange(listened, true)) listening(launch.listen);
      status = (*server)->Run(stopped);
      if ((*server)->progressed()) backoff.Reset();
      if ((*server)->pool_hangs()) {
        server->release();
        return absl::DeadlineExceededError(
            absl::StrCat("shard ", launch.shard, " is stuck in a computation; this server ends",
                         status.ok() ? "" : ": ", status.message()));
      }
      if ((*server)->disk_hangs()) {
        // A thread waits in the kernel, with what it writes from: neither can be let go. The HTTP
        // port's goodput may wait there too.
        server->release();
        http.release();
        return absl::DeadlineExceededError(absl::StrCat(
            "the disk of the checkpoint directory does not answer; this server ends without its ",
            "last checkpoint", status.ok() ? "" : ": ", status.message()));
      }
    }
    if (status.ok()) return (*server)->over() ? absl::OkStatus() : Stopped();
    // Before we have had the address, somebody else's use of it is an error.
    if (!absl::IsUnavailable(status) || !listened) return status;
    // A peer may have been told to stop a moment before us.
    if (stopped()) return Stopped();
    const std::optional<absl::Duration> wait = backoff.Next(Clock::Real().Now());
    if (!wait.has_value()) return status;
    LOG(WARNING) << status.message();
    server = absl::UnavailableError("making way");  // gives the address back
    WaitFor(*wait, stopped);
  }
}

}  // namespace conadv
