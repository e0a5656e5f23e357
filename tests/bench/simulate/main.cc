// SPDX-License-Identifier: Apache-2.0
// bench_simulate: rows of the table that stand on simulated workers, docs/benchmarks.md says how.
#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "tests/bench/simulate/empty_calls.h"
#include "tests/bench/simulate/rows.h"

ABSL_FLAG(int, rounds, 7, "samples of each figure");
ABSL_FLAG(std::vector<std::string>, only, {}, "which rows; without it, all");
ABSL_FLAG(bool, serve_empty_calls, false, "be the server of the reference, until SIGTERM");

namespace conadv::bench {
namespace {

int Main() {
  if (absl::GetFlag(FLAGS_serve_empty_calls)) return ServeEmptyCalls();
  const std::vector<std::pair<std::string, void (*)(int)>> rows = {
      {"start", StartOfAServer},    {"small", SmallSteps},
      {"waking", WakingPulls},      {"core", UnitsOfOneCore},
      {"coordinator", Completions}, {"steps", SameHostSteps},
      {"delayed", DelayedSteps},    {"windows", DelayedBytes},
      {"overlap", Overlap},         {"scaling", WeakScaling},
      {"memory", ResidentMemory},   {"checkpoints", StepsBesideCheckpoints}};
  const std::vector<std::string> only = absl::GetFlag(FLAGS_only);
  size_t found = 0;
  for (const auto& [name, measure] : rows) {
    const bool named = std::find(only.begin(), only.end(), name) != only.end();
    found += named ? 1 : 0;
    if (only.empty() || named) measure(absl::GetFlag(FLAGS_rounds));
  }
  if (found == only.size()) return 0;
  std::fprintf(stderr, "--only: there are");
  for (const auto& [name, measure] : rows) std::fprintf(stderr, " %s", name.c_str());
  std::fprintf(stderr, "\n");
  return 1;
}

}  // namespace
}  // namespace conadv::bench

int main(int argc, char** argv) {
  absl::ParseCommandLine(argc, argv);
  return conadv::bench::Main();
}
