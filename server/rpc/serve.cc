// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/serve.h"

#include <glog/logging.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr absl::Duration kFirstWait = absl::Milliseconds(20);
constexpr absl::Duration kLongestWait = absl::Seconds(2);
constexpr absl::Duration kGlance = absl::Milliseconds(100);

void WaitFor(absl::Duration time, const std::function<bool()>& stopped) {
  const absl::Time until = Clock::Real().Now() + time;
  Mutex mutex;
  CondVar never;
  MutexLock lock(&mutex);
  for (absl::Duration left = time; left > absl::ZeroDuration() && !stopped();
       left = until - Clock::Real().Now()) {
    never.WaitFor(&mutex, std::min(left, kGlance));
  }
}

}  // namespace

absl::Status Serve(const ServeOptions& options,
                   const std::function<void(const std::string&)>& listening,
                   const std::function<bool()>& stopped) {
  LaunchOptions launch = options.launch;
  Backoff backoff({kFirstWait, kLongestWait, options.patience}, RandomIncarnation().value());
  bool listened = false;
  while (true) {
    CONADV_ASSIGN_OR_RETURN(launch.job, options.job());
    absl::StatusOr<std::unique_ptr<Server>> server = Server::Start(launch);
    absl::Status status = server.status();
    if (server.ok()) {
      launch.listen = (*server)->address();
      if (!std::exchange(listened, true)) listening(launch.listen);
      status = (*server)->Run(stopped);
      if ((*server)->progressed()) backoff.Reset();
    }
    // Before we have had the address, somebody else's use of it is an error.
    if (!absl::IsUnavailable(status) || !listened || stopped()) return status;
    const std::optional<absl::Duration> wait = backoff.Next(Clock::Real().Now());
    if (!wait.has_value()) return status;
    LOG(WARNING) << status.message();
    server = absl::UnavailableError("making way");  // gives the address back
    WaitFor(*wait, stopped);
  }
}

}  // namespace conadv
