// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <vector>

#include "tests/bench/simulate/cluster.h"
#include "tests/bench/simulate/empty_calls.h"
#include "tests/bench/simulate/rows.h"
#include "tests/bench/simulate/woken_pulls.h"
#include "tests/bench/table/row.h"

namespace conadv::bench {
namespace {

constexpr char kNoTime[] = "attack=0,clean=0,adversarial=0,lanes=1,parameters=22K";

}  // namespace

void SmallSteps(int rounds) {
  EmptyCalls calls;
  const auto seen = Interleave(rounds, {[] {
                                          ClusterOptions options;
                                          options.simulate = kNoTime;
                                          options.steps = 1000;
                                          options.warm_up = 200;
                                          return 1e3 * StepMillis(options);
                                        },
                                        [&calls] { return 1e6 * calls.RoundTrip(); }});
  Print({"step of 22,000 parameters, 1 worker, no compute", "us", "empty gRPC round trip", seen[0],
         seen[1], 6, true, ""});
}

void UnitsOfOneCore(int rounds) {
  constexpr int kCore = 1;
  constexpr uint32_t kWorkers = 8;
  EmptyCalls calls(kCore);
  const auto seen = Interleave(rounds, {[] {
                                          ClusterOptions options;
                                          options.simulate = kNoTime;
                                          options.workers = kWorkers;
                                          options.steps = 1000;
                                          options.warm_up = 200;
                                          options.server_core = kCore;
                                          const ClusterResult result = RunCluster(options);
                                          return static_cast<double>(kWorkers) *
                                                 static_cast<double>(result.steps.size()) /
                                                 result.server_seconds;
                                        },
                                        [&calls] { return calls.CallsOfACore(kWorkers); }});
  Print({"units of 22,000 parameters that one server core handles, 8 workers", "1/s",
         "empty gRPC calls of one core", seen[0], seen[1], 0.3, false,
         "a unit is a pull, a push, and word of it on the Join stream; by the server's core time"});
}

void WakingPulls(int rounds) {
  constexpr int kPulls = 16;
  EmptyCalls calls;
  const auto seen = Interleave(
      rounds, {[] { return 1e6 * WakePulls(kPulls); }, [&calls] { return 1e6 * calls.RoundTrip(); },
               [&calls] { return 1e6 * calls.WakeAll(kPulls); }});
  Print({"publish until the last of 16 waiting pulls has 4 KB", "us", "empty gRPC round trip",
         seen[0], seen[1], 3, true, ""});
  Print({"the same", "us", "16 waiting empty gRPC calls, answered at once", seen[0], seen[2],
         std::nullopt, true, "what gRPC itself takes for it on this machine"});
}

}  // namespace conadv::bench
