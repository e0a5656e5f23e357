// SPDX-License-Identifier: Apache-2.0
// The processes of a local run: their programs, arguments and files. Pure functions.
#ifndef CONADV_CLI_RUN_DEPLOYMENT_H_
#define CONADV_CLI_RUN_DEPLOYMENT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/process/process.h"
#include "cli/run/restart_policy.h"

namespace conadv {

struct Deployment {
  std::string server_program;
  std::string worker_program;
  std::string directory;  // of the run: see cli/results/run_paths.h
  uint32_t servers = 1;
  uint32_t workers = 1;
  uint32_t threads = 1;  // of each worker
  uint32_t evaluator_threads = 1;
  std::string device = "cpu";          // of the workers and the evaluator, as --device has it
  std::string shared_memory = "auto";  // of all processes, as --shared_memory has it
  std::string overlap = "auto";        // of the workers, as --overlap has it
  // Whether the servers may begin at version 0 where no checkpoint is on every shard.
  bool begin_anew = false;
};

// "server-0", "worker-1", "evaluator": what logs and messages call the processes.
std::string ServerName(uint32_t shard);
std::string WorkerName(uint32_t index);
inline constexpr char kEvaluatorName[] = "evaluator";
// REQUIRES: a name made by the functions above.
ProcessRole RoleOf(absl::string_view name);

// Shard 0 is the coordinator and reads the job; `coordinator` is not used then.
ProcessSpec ServerSpec(const Deployment& deployment, uint32_t shard,
                       const std::string& coordinator);
ProcessSpec WorkerSpec(const Deployment& deployment, uint32_t index,
                       const std::string& coordinator);
// The same server, but on this address.
void ListenOn(const std::string& address, ProcessSpec* server);
// The same, with its HTTP port on this address, or, if somebody else has that by now, on any. Of
// shard 0, which has one.
void WatchOn(const std::string& address, ProcessSpec* server);
ProcessSpec EvaluatorSpec(const Deployment& deployment, const std::string& coordinator);

}  // namespace conadv

#endif  // CONADV_CLI_RUN_DEPLOYMENT_H_
