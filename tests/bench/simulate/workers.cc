// SPDX-License-Identifier: Apache-2.0
// bench_workers: simulated workers in one process, without LibTorch, until their run is over.
#include <glog/logging.h>

#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "common/os/signals.h"
#include "tests/simulate/crew.h"

ABSL_FLAG(std::string, coordinator, "", "HOST:PORT of shard 0");
ABSL_FLAG(std::string, simulate, "", "as conadv-worker's");
ABSL_FLAG(int, workers, 1, "how many");
ABSL_FLAG(bool, shared_memory, true, "whether they may use it, as conadv-worker does by itself");
ABSL_FLAG(bool, overlap, true, "whether gradients leave during their pass, as conadv-worker's do");
ABSL_FLAG(std::string, name, "simulated", "what their names begin with");

namespace conadv {
namespace {

int Main() {
  const ShutdownSignals& signals = ShutdownSignals::Install();
  CrewOptions options;
  options.coordinator = absl::GetFlag(FLAGS_coordinator);
  options.workers = absl::GetFlag(FLAGS_workers);
  options.shared_memory = absl::GetFlag(FLAGS_shared_memory);
  options.overlap = absl::GetFlag(FLAGS_overlap);
  options.name = absl::GetFlag(FLAGS_name);
  absl::StatusOr<Simulation> simulation = ParseSimulation(absl::GetFlag(FLAGS_simulate));
  absl::Status status = simulation.status();
  if (status.ok()) {
    options.simulation = *simulation;
    status = RunCrew(options, [&signals] { return signals.received(); });
  }
  if (!status.ok()) std::fprintf(stderr, "bench_workers: %s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  FLAGS_logtostderr = true;
  FLAGS_minloglevel = google::GLOG_WARNING;
  google::InitGoogleLogging(argv[0]);
  absl::ParseCommandLine(argc, argv);
  return conadv::Main();
}
