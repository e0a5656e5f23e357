// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>
#include <cmath>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "common/job/parse.h"
#include "tests/bench/coordinator_load.h"
#include "tests/bench/simulate/cluster.h"
#include "tests/bench/simulate/rows.h"
#include "tests/bench/table/row.h"
#include "tests/soak/soak_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv::bench {
namespace {

constexpr char kServer[] = CONADV_BIN_DIR "/conadv-server";

StepTimes SoakSteps(bool checkpoints) {
  SoakOptions options;
  options.server = kServer;
  options.workers = 2;
  options.run.slots = options.workers;
  options.run.steps = 40;
  options.run.parameters = 20'000'000;
  options.run.checkpoint_every = 13;
  options.checkpoints = checkpoints;
  SoakResult result = RunSoak(options);
  if (!result.problem.empty()) OrDie<int>(absl::InternalError(result.problem));
  // Memory that comes for the first time is the run's beginning, not a checkpoint's doing.
  constexpr int kWarmUp = 5;
  result.steps.erase(result.steps.begin(), result.steps.begin() + kWarmUp);
  return StepTimesOf(std::move(result.steps));
}

}  // namespace

void StepsBesideCheckpoints(int rounds) {
  Row row{"worst of 35 steps with 3 checkpoints, 20 M parameters, 2 workers",
          "ms",
          "median step",
          {},
          {},
          1.25,
          true,
          ""};
  std::vector<double> without;
  for (int round = 0; round < rounds; ++round) {
    const StepTimes times = SoakSteps(true);
    row.ours.push_back(1e3 * times.worst);
    row.theirs.push_back(1e3 * times.median);
    const StepTimes control = SoakSteps(false);
    without.push_back(control.worst / control.median);
  }
  row.note = absl::StrFormat("without checkpoints the worst is %.2f times the median",
                             Median(std::move(without)));
  Print(row);
}

void ResidentMemory(int rounds) {
  constexpr double kModel = 100e6;  // bytes
  constexpr double kTau = 4;
  constexpr double kRetain = kTau + 2;
  constexpr double kSlots = 4;
  Row row{"server's resident memory, CONADV, tau 4, momentum, 100 MB, 4 workers",
          "MB",
          "(retain + 2 + 1) models and log2(slots) models",
          {},
          {},
          1.15,
          true,
          "at most, of the whole process; over the network"};
  // It hardly varies.
  for (int round = 0; round < std::min(rounds, 3); ++round) {
    ClusterOptions options;
    options.algorithm = v1::Training::CONADV;
    options.tau = static_cast<uint32_t>(kTau);
    options.processes = static_cast<uint32_t>(kSlots);
    options.simulate = "parameters=25M";
    // The system counts what a server has mapped of its workers' memory as the server's, too.
    options.shared_memory = false;
    options.steps = 20;
    row.ours.push_back(1e-6 * static_cast<double>(RunCluster(options).server_resident_bytes));
    row.theirs.push_back(1e-6 * kModel * (kRetain + 2 + 1 + std::log2(kSlots)));
  }
  Print(row);
}

void StartOfAServer(int rounds) {
  const TempDir directory;
  const std::string job = directory / "job.textproto";
  WriteFile(job, JobText(JobOf(TinyRun())));
  const auto seen = Interleave(
      rounds, {[&job] {
        const auto begin = std::chrono::steady_clock::now();
        Process server({kServer, "--job=" + job});
        OrDie(server.ReadAfter("listening on ", absl::Minutes(1)));
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
      }});
  Print({"server's start until it listens", "s", "", seen[0], {}, 0.3, true, ""});
}

void Completions(int rounds) {
  constexpr uint32_t kSlots = 4096;
  const auto with = [](uint32_t workers) {
    return [workers] {
      constexpr int kCompletions = 200'000;
      CoordinatorLoad load(workers, kSlots);
      const auto begin = std::chrono::steady_clock::now();
      for (int i = 0; i < kCompletions; ++i) load.Done();
      return kCompletions /
             std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    };
  };
  const auto seen = Interleave(rounds, {with(1000), with(10)});
  Print({"completions that a coordinator alone handles, 1,000 workers, 4,096 slots", "1/s",
         "with 10 workers", seen[0], seen[1], 0.5, false, ""});
}

}  // namespace conadv::bench
