// SPDX-License-Identifier: Apache-2.0
// A server under 16 workers for 20,000 tiny steps. Exit 0 only if its memory stayed within the
// limit that it printed.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "tests/soak/soak_run.h"

ABSL_FLAG(std::string, server, CONADV_BIN_DIR "/conadv-server", "the server under test");
ABSL_FLAG(uint32_t, workers, 16, "workers, and slots of a step");
ABSL_FLAG(uint64_t, steps, 20'000, "steps");
ABSL_FLAG(uint64_t, checkpoint_every, 0, "versions between checkpoints; 0: about ten seconds");
ABSL_FLAG(uint64_t, parameters, 4'000, "parameters of the model");

ABSL_FLAG(bool, compare, false, "first the same without checkpoints");
ABSL_FLAG(uint32_t, slow_readers, 0, "strangers who read the weights slowly");
ABSL_FLAG(bool, print_steps, false, "print how long each step took, in ms");

namespace conadv {
namespace {

double MiB(uint64_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

void PrintSteps(const char* what, const std::vector<double>& steps) {
  const StepTimes times = StepTimesOf(steps);
  std::printf("%s   %.1f ms, %.1f ms (%.2f x)\n", what, 1e3 * times.median, 1e3 * times.worst,
              times.worst / std::max(times.median, 1e-9));
  if (!absl::GetFlag(FLAGS_print_steps)) return;
  for (const double step : steps) std::printf("%.1f ", 1e3 * step);
  std::printf("\n");
}

std::string Problem(const SoakResult& result) {
  return result.problem.empty() ? CheckMemory(result) : result.problem;
}

int Main() {
  SoakOptions options;
  options.server = absl::GetFlag(FLAGS_server);
  options.workers = absl::GetFlag(FLAGS_workers);
  options.run.slots = options.workers;
  options.run.steps = absl::GetFlag(FLAGS_steps);
  options.run.checkpoint_every = absl::GetFlag(FLAGS_checkpoint_every);
  options.run.parameters = absl::GetFlag(FLAGS_parameters);
  options.slow_readers = absl::GetFlag(FLAGS_slow_readers);
  std::string problem;
  if (absl::GetFlag(FLAGS_compare)) {
    options.checkpoints = false;
    const SoakResult without = RunSoak(options);
    PrintSteps("no checkpoints: step  ", without.steps);
    problem = Problem(without);
    options.checkpoints = true;
  }
  const SoakResult result = RunSoak(options);
  problem += Problem(result);
  std::printf("steps                    %d with %d workers, %.0f a second\n",
              static_cast<int>(options.run.steps), static_cast<int>(options.workers),
              static_cast<double>(options.run.steps) / result.seconds);
  PrintSteps("step: median, worst   ", result.steps);
  const uint64_t grown =
      result.resident_most - std::min(result.resident_before, result.resident_most);
  std::printf("taken, at most           %.1f MiB\n", MiB(result.most_bytes));
  std::printf("limit                    %.1f MiB, %.2f x of what the process grew by\n",
              MiB(result.limit_bytes), MiB(result.limit_bytes) / std::max(MiB(grown), 1e-9));
  std::printf("process: before          %.1f MiB\n", MiB(result.resident_before));
  std::printf("         first tenth     %.1f MiB\n", MiB(result.resident_early));
  std::printf("         at most         %.1f MiB\n", MiB(result.resident_most));
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
