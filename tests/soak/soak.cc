// SPDX-License-Identifier: Apache-2.0
// A server under 16 workers for 20,000 tiny steps. Exit 0 only if its memory stayed within the
// limit that it printed.
#include <algorithm>
#include <cstdio>
#include <string>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "tests/soak/soak_run.h"

ABSL_FLAG(std::string, server, CONADV_BIN_DIR "/conadv-server", "the server under test");
ABSL_FLAG(uint32_t, workers, 16, "workers, and slots of a step");
ABSL_FLAG(uint64_t, steps, 20'000, "steps");
ABSL_FLAG(uint64_t, checkpoint_every, 0, "versions between checkpoints; 0: about ten seconds");
ABSL_FLAG(uint64_t, parameters, 4'000, "parameters of the model");

namespace conadv {
namespace {

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

int Main() {
  SoakOptions options;
  options.server = absl::GetFlag(FLAGS_server);
  options.workers = absl::GetFlag(FLAGS_workers);
  options.run.slots = options.workers;
  options.run.steps = absl::GetFlag(FLAGS_steps);
  options.run.checkpoint_every = absl::GetFlag(FLAGS_checkpoint_every);
  options.run.parameters = absl::GetFlag(FLAGS_parameters);
  const SoakResult result = RunSoak(options);
  const std::string problem = result.problem.empty() ? CheckMemory(result) : result.problem;
  std::printf("steps                 %d with %d workers, %.0f a second\n",
              static_cast<int>(options.run.steps), static_cast<int>(options.workers),
              static_cast<double>(options.run.steps) / result.seconds);
  std::printf("step: median, worst   %.1f ms, %.1f ms (%.2f x)\n", 1e3 * result.median_step,
              1e3 * result.worst_step, result.worst_step / std::max(result.median_step, 1e-9));
  std::printf("taken, at most        %.1f MiB of %.1f\n", MiB(result.most_bytes),
              MiB(result.limit_bytes));
  std::printf("process: before       %.1f MiB\n", MiB(result.resident_before));
  std::printf("         first tenth  %.1f MiB\n", MiB(result.resident_early));
  std::printf("         at most      %.1f MiB\n", MiB(result.resident_most));
  std::printf("%s\n", problem.empty() ? "ok" : problem.c_str());
  return problem.empty() ? 0 : 1;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("Many tiny steps, and the memory of the server that makes them.");
  absl::ParseCommandLine(argc, argv);
  return conadv::Main();
}
