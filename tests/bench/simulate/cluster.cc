// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/cluster.h"

#include <grpcpp/client_context.h>
#include <signal.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/job/parse.h"
#include "common/wire/channel.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/bench/simulate/delayed_link.h"
#include "tests/bench/simulate/process_figures.h"
#include "tests/bench/table/row.h"
#include "tests/soak/tiny_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv::bench {
namespace {

constexpr absl::Duration kPatience = absl::Minutes(5);

v1::Job JobFor(const ClusterOptions& options) {
  TinyRun run;
  run.slots = options.processes * options.workers;
  run.steps = options.steps;
  v1::Job job = JobOf(run);
  job.mutable_training()->set_algorithm(options.algorithm);
  job.mutable_training()->set_tau(options.tau);
  return job;
}

// Follows the versions as they are published, and notes what the steps after the first ones took.
void Watch(const std::string& address, const ClusterOptions& options, pid_t server,
           ClusterResult* result) {
  grpc::ClientContext context;
  context.set_deadline(absl::ToChronoTime(absl::Now() + kPatience));
  context.set_wait_for_ready(true);
  const auto stream = v1::ParameterServer::NewStub(MakeChannel(address))->Watch(&context, {});
  int64_t before = 0;
  v1::WatchResponse version;
  while (before == 0 || version.version() < options.steps) {
    if (!stream->Read(&version)) OrDie<int>(absl::UnavailableError("the run broke off"));
    const int64_t published = version.published_unix_micros();
    result->published[version.version()] = absl::FromUnixMicros(published);
    if (version.version() > options.warm_up) {
      result->steps.push_back(1e-6 * static_cast<double>(published - before));
    } else {
      result->server_seconds = -CoreSeconds(server);
    }
    before = published;
  }
  result->server_seconds += CoreSeconds(server);
  context.TryCancel();
  stream->Finish();
}

}  // namespace

ClusterResult RunCluster(const ClusterOptions& options) {
  const TempDir directory;
  const std::string job = directory / "job.textproto";
  WriteFile(job, JobText(JobFor(options)));
  std::vector<std::string> command;
  if (options.server_core >= 0)
    command = {"/usr/bin/taskset", "-c", absl::StrCat(options.server_core)};
  for (const char* part : {CONADV_BIN_DIR "/conadv-server", "--when_done=wait"}) {
    command.emplace_back(part);
  }
  command.push_back("--job=" + job);
  std::optional<DelayedLink> link;
  if (options.network_delay > absl::ZeroDuration()) {
    link.emplace(options.network_delay);
    command.push_back("--servers=" + link->address());
  }
  Process server(command);
  const std::string address = OrDie(server.ReadAfter("listening on ", kPatience));
  if (link.has_value()) link->Connect(address);
  options.started(address);
  std::vector<std::unique_ptr<Process>> workers;
  for (uint32_t i = 0; i < options.processes; ++i) {
    workers.push_back(std::make_unique<Process>(std::vector<std::string>{
        CONADV_BIN_DIR "/bench_workers", "--simulate=" + options.simulate,
        absl::StrCat("--workers=", options.workers),
        options.shared_memory && !link.has_value() ? "--shared_memory" : "--noshared_memory",
        options.overlap ? "--overlap" : "--nooverlap", absl::StrCat("--name=process-", i),
        absl::StrCat("--coordinator=", link.has_value() ? link->address() : address)}));
  }
  ClusterResult result;
  Watch(address, options, server.pid(), &result);
  options.over();
  result.server_resident_bytes = MostResidentBytes(server.pid());
  for (const auto& worker : workers) {
    const ExitStatus end = OrDie(worker->Wait(kPatience));
    if (!end.ok()) OrDie<int>(absl::InternalError(worker->error()));
  }
  server.Signal(SIGTERM);
  OrDie(server.Wait(kPatience));
  return result;
}

double StepMillis(const ClusterOptions& options) { return 1e3 * Median(RunCluster(options).steps); }

}  // namespace conadv::bench
