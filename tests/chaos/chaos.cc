// SPDX-License-Identifier: Apache-2.0
// Seeded runs with random faults, and a table of what became of them. Exit 0 only if every run
// ended by itself with the weights of the run without faults.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/str_format.h"
#include "tests/chaos/chaos_run.h"
#include "tests/support/idx_files.h"
#include "tests/support/temp_dir.h"

ABSL_FLAG(std::string, program, "build/bin/conadv", "the conadv under test");
ABSL_FLAG(int, runs, 50, "how many runs");
ABSL_FLAG(uint64_t, seed, 1, "of the first run; the others follow");
ABSL_FLAG(std::string, plan, "", "these faults instead, as a run prints them; one run");
ABSL_FLAG(std::vector<std::string>, set, {}, "settings of the job, as training.consistency=SSP");
ABSL_FLAG(bool, log, false, "show what each run says");

namespace conadv {
namespace {

constexpr FaultKind kKinds[] = {FaultKind::kKill, FaultKind::kStop,    FaultKind::kFreeze,
                                FaultKind::kCut,  FaultKind::kCorrupt, FaultKind::kDiskFull};

struct Totals {
  int runs = 0;
  int problems = 0;
  int different = 0;
  uint64_t restarts = 0;
  uint64_t recomputed = 0;
  std::map<FaultKind, int> injected;
  std::vector<double> lost;  // seconds
  std::vector<double> server_recoveries;
  std::vector<double> worker_recoveries;
};

void Add(const std::vector<double>& values, std::vector<double>* to) {
  to->insert(to->end(), values.begin(), values.end());
}

void PrintSeconds(const char* what, std::vector<double> seconds) {
  if (seconds.empty()) return;
  std::sort(seconds.begin(), seconds.end());
  std::printf("%-19s median %.2f s, most %.2f s, of %d\n", what, seconds[seconds.size() / 2],
              seconds.back(), static_cast<int>(seconds.size()));
}

void PrintRun(const std::string& name, const ChaosResult& result, const std::string& verdict,
              const FaultPlan& plan) {
  std::printf("%-6s %6.1f s  %s  restarts %2d  recomputed %3d  %s  [%s]\n", name.c_str(),
              result.seconds, result.crc.c_str(), static_cast<int>(result.restarts),
              static_cast<int>(result.updates_recomputed), verdict.c_str(), ToText(plan).c_str());
  std::fflush(stdout);
}

void PrintTable(Totals totals) {
  std::printf("\nruns                %d\n", totals.runs);
  for (const FaultKind kind : kKinds) {
    std::printf("faults: %-11s %d\n", std::string(FaultKindName(kind)).c_str(),
                totals.injected[kind]);
  }
  std::printf("processes restarted %d\n", static_cast<int>(totals.restarts));
  std::printf("updates recomputed  %d\n", static_cast<int>(totals.recomputed));
  PrintSeconds("time lost by a run", totals.lost);
  PrintSeconds("server killed until", totals.server_recoveries);
  PrintSeconds("worker killed until", totals.worker_recoveries);
  std::printf("                    (the next version is published)\n");
  std::printf("runs with a problem %d\n", totals.problems);
  std::printf("different results   %d\n", totals.different);
}

int Main() {
  const TempDir data;
  if (!WriteSyntheticIdx(data.path(), SyntheticOptions()).ok()) return 1;
  ChaosOptions options;
  options.program = absl::GetFlag(FLAGS_program);
  options.data = data.path();
  options.settings = absl::GetFlag(FLAGS_set);
  FaultPlan given;
  if (!absl::GetFlag(FLAGS_plan).empty()) {
    const auto parsed = ParseFaultPlan(absl::GetFlag(FLAGS_plan));
    if (!parsed.ok()) {
      std::fprintf(stderr, "chaos: %s\n", std::string(parsed.status().message()).c_str());
      return 2;
    }
    given = *parsed;
  }
  const ChaosResult calm = RunWithFaults(options, {});
  PrintRun("calm", calm, calm.problem.empty() ? "ok" : calm.problem, {});
  if (!calm.problem.empty()) {
    std::printf("%s\n", calm.log.c_str());
    return 1;
  }
  // Without SYNC the order of updates, and so the weights, differ from run to run.
  const bool same_bits = calm.version == kChaosSteps;
  Totals totals;
  totals.runs = given.empty() ? absl::GetFlag(FLAGS_runs) : 1;
  FaultPlanOptions planning;
  planning.last_version = calm.version;
  for (int run = 0; run < totals.runs; ++run) {
    options.seed = absl::GetFlag(FLAGS_seed) + static_cast<uint64_t>(run);
    const FaultPlan plan = given.empty() ? MakeFaultPlan(options.seed, planning) : given;
    const ChaosResult result = RunWithFaults(options, plan);
    const bool different = result.problem.empty() && same_bits && result.crc != calm.crc;
    const std::string verdict = !result.problem.empty() ? result.problem
                                : different             ? "DIFFERENT"
                                                        : "ok";
    PrintRun(absl::StrFormat("%d", options.seed), result, verdict, plan);
    if (verdict != "ok" || absl::GetFlag(FLAGS_log)) std::printf("%s\n", result.log.c_str());
    totals.problems += result.problem.empty() ? 0 : 1;
    totals.different += different ? 1 : 0;
    totals.restarts += result.restarts;
    totals.recomputed += result.updates_recomputed;
    totals.lost.push_back(std::max(0.0, result.seconds - calm.seconds));
    Add(result.server_recoveries, &totals.server_recoveries);
    Add(result.worker_recoveries, &totals.worker_recoveries);
    for (const auto& [kind, count] : result.injected) totals.injected[kind] += count;
  }
  PrintTable(totals);
  return totals.problems + totals.different == 0 ? 0 : 1;
}

}  // namespace
}  // namespace conadv

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage(
      "Runs with random faults, each of which must end as if there were none.");
  absl::ParseCommandLine(argc, argv);
  return conadv::Main();
}
