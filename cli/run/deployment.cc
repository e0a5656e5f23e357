// SPDX-License-Identifier: Apache-2.0
#include "cli/run/deployment.h"

#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "cli/results/run_paths.h"

namespace conadv {
namespace {

constexpr char kListenFlag[] = "--listen=";
constexpr char kWatchFlag[] = "--http_listen=";
constexpr char kAnyAddress[] = "127.0.0.1:0";  // on a free port, for this machine alone

void Replace(absl::string_view flag, const std::string& value, ProcessSpec* spec) {
  for (std::string& argument : spec->arguments) {
    if (absl::StartsWith(argument, flag)) argument = absl::StrCat(flag, value);
  }
}

ProcessSpec Spec(const Deployment& deployment, const std::string& name,
                 std::vector<std::string> arguments) {
  return {name, std::move(arguments),
          absl::StrCat(LogDirectory(deployment.directory), "/", name, ".log")};
}

}  // namespace

std::string ServerName(uint32_t shard) { return absl::StrCat("server-", shard); }
std::string WorkerName(uint32_t index) { return absl::StrCat("worker-", index); }

ProcessRole RoleOf(absl::string_view name) {
  if (absl::StartsWith(name, "server-")) return ProcessRole::kServer;
  return name == kEvaluatorName ? ProcessRole::kEvaluator : ProcessRole::kWorker;
}

ProcessSpec ServerSpec(const Deployment& deployment, uint32_t shard,
                       const std::string& coordinator) {
  std::vector<std::string> arguments = {
      deployment.server_program,
      absl::StrCat("--shard=", shard),
      absl::StrCat("--shards=", deployment.servers),
      absl::StrCat(kListenFlag, kAnyAddress),
      absl::StrCat("--shared_memory=", deployment.shared_memory),
      absl::StrCat("--checkpoint_dir=", CheckpointDirectory(deployment.directory))};
  if (shard == 0) {
    arguments.push_back(absl::StrCat("--job=", JobPath(deployment.directory)));
    arguments.push_back(absl::StrCat(kWatchFlag, kAnyAddress));
    // A short run may be over before the evaluator has started, or started again.
    arguments.push_back("--evaluator_patience=60s");
    if (deployment.begin_anew) arguments.push_back("--begin_anew");
  } else {
    arguments.push_back(absl::StrCat("--coordinator=", coordinator));
  }
  return Spec(deployment, ServerName(shard), std::move(arguments));
}

ProcessSpec WorkerSpec(const Deployment& deployment, uint32_t index,
                       const std::string& coordinator) {
  const std::string name = WorkerName(index);
  return Spec(
      deployment, name,
      {deployment.worker_program, absl::StrCat("--coordinator=", coordinator),
       absl::StrCat("--threads=", deployment.threads), absl::StrCat("--device=", deployment.device),
       absl::StrCat("--shared_memory=", deployment.shared_memory),
       absl::StrCat("--overlap=", deployment.overlap), absl::StrCat("--name=", name)});
}

void ListenOn(const std::string& address, ProcessSpec* server) {
  Replace(kListenFlag, address, server);
}

void WatchOn(const std::string& address, ProcessSpec* server) {
  Replace(kWatchFlag, absl::StrCat(address, ",", kAnyAddress), server);
}

ProcessSpec EvaluatorSpec(const Deployment& deployment, const std::string& coordinator) {
  return Spec(
      deployment, kEvaluatorName,
      {deployment.worker_program, "--role=evaluator", absl::StrCat("--coordinator=", coordinator),
       absl::StrCat("--threads=", deployment.evaluator_threads),
       absl::StrCat("--device=", deployment.device),
       absl::StrCat("--shared_memory=", deployment.shared_memory),
       absl::StrCat("--name=", kEvaluatorName),
       absl::StrCat("--export=", ModelPath(deployment.directory))});
}

}  // namespace conadv
