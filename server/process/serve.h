// SPDX-License-Identifier: Apache-2.0
// The life of a server process: one Server after another on the same address, each going on from
// the newest checkpoint when the one before has lost its run.
#ifndef CONADV_SERVER_PROCESS_SERVE_H_
#define CONADV_SERVER_PROCESS_SERVE_H_

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/observe/http_port.h"
#include "server/process/server.h"

namespace conadv {

struct ServeOptions {
  LaunchOptions launch;  // without the job
  // Of the first Server and of each that follows.
  std::function<absl::StatusOr<v1::Job>()> job;
  // Without an address to listen on there is none.
  HttpPortOptions http;
  // Hears the HTTP port's URL, once, before anything else.
  std::function<void(const std::string& url)> watched_at;
  // Lineages that publish nothing may follow each other for this long.
  absl::Duration patience;
};

// OK: the run is over. CANCELLED: it is not, and `stopped` says so. `listening` hears the address
// once. DEADLINE_EXCEEDED: a disk or a computation hangs, and threads that wait for it are left:
// the process has to end without joining them.
absl::Status Serve(const ServeOptions& options,
                   const std::function<void(const std::string&)>& listening,
                   const std::function<bool()>& stopped);

}  // namespace conadv

#endif  // CONADV_SERVER_PROCESS_SERVE_H_
