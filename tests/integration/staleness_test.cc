// SPDX-License-Identifier: Apache-2.0
// Staleness is what the job says, and it is measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "tests/integration/local_run.h"

namespace conadv {
namespace {

TEST(Staleness, InSyncModeTheAttackIsExactlyMinOfStepAndTauOld) {
  for (const int tau : {0, 1, 3}) {
    LocalRun run(SharedData(), {2, 2, {absl::StrCat("training.tau=", tau)}, ""});
    run.Finish();
    const auto steps = run.Metrics("step");
    ASSERT_EQ(steps.size(), 10U);
    for (int step = 0; step < 10; ++step) {
      EXPECT_EQ(steps[step]["step"], step);
      EXPECT_EQ(steps[step]["attack_staleness"], std::min(step, tau));
      EXPECT_EQ(steps[step]["update_staleness"], 0);
    }
  }
}

TEST(Staleness, WithoutSyncEveryContributionIsAVersionAndIsMeasuredOnce) {
  for (const char* consistency : {"SSP", "ASYNC"}) {
    LocalRun run(SharedData(), {2,
                                3,
                                {absl::StrCat("training.consistency=", consistency),
                                 "training.damping=true", "training.delay_compensation=0.04"},
                                ""});
    run.Finish();
    EXPECT_EQ(run.summary()["version"], 40) << consistency;
    const auto updates = run.Metrics("step");
    ASSERT_EQ(updates.size(), 40U);
    std::vector<std::pair<int, int>> units;
    for (const auto& update : updates) units.emplace_back(update["step"], update["slot"]);
    std::sort(units.begin(), units.end());
    EXPECT_EQ(std::unique(units.begin(), units.end()), units.end()) << "a unit counted twice";
  }
}

TEST(Staleness, SspNeverRunsFurtherAheadThanItsBound) {
  LocalRun run(
      SharedData(),
      {1, 3, {"training.consistency=SSP", "training.staleness_bound=1", "training.steps=20"}, ""});
  run.Finish();
  // An update of step t means that it was leased while the oldest unfinished step was at least t
  // - 1.
  std::vector<int> done(20, 0);
  for (const auto& update : run.Metrics("step")) {
    const int step = update["step"];
    for (int earlier = 0; earlier + 1 < step; ++earlier) EXPECT_EQ(done[earlier], 4) << step;
    ++done[step];
  }
}

// Where it arose adds up to what there is.
void ExpectOriginsAddUp(const nlohmann::json& of) {
  const auto from = [&](const char* origin) { return of["origins"][origin].get<uint64_t>(); };
  EXPECT_EQ(from("attack_lease") + from("attack_queue") + from("attack_compute"),
            of["attack_staleness"]["sum"].get<uint64_t>());
  EXPECT_EQ(from("attack_unsaid"), 0U);
  EXPECT_EQ(from("update_compute") + from("update_apply"),
            of["update_staleness"]["sum"].get<uint64_t>());
}

TEST(Staleness, TheInspectorsHistogramsCountEveryContribution) {
  // Longer than anybody looks: a run that ends leaves no say in when its last look was.
  LocalRun run(SharedData(),
               {1,
                2,
                {"training.consistency=ASYNC", "training.steps=10000000", "attack.cosine_every=5"},
                ""});
  Process watch({BinaryPath("conadv"), "staleness", "--server=" + run.Coordinator(), "--watch",
                 "--interval=0.05", "--json"});
  while (true) {
    const absl::StatusOr<std::string> line = watch.ReadLine(absl::Minutes(1));
    ASSERT_TRUE(line.ok()) << line.status();
    const nlohmann::json view = nlohmann::json::parse(*line);
    if (view["attack_cosine"].is_null()) continue;
    ExpectOriginsAddUp(view);
    for (const nlohmann::json& worker : view["workers"]) {
      if (!worker["origins"].is_null()) ExpectOriginsAddUp(worker);  // it has pushed
    }
    const auto attacks = view["attack_staleness"]["count"].get<uint64_t>();
    EXPECT_EQ(view["update_staleness"]["count"], attacks);
    EXPECT_GT(view["attack_cosine"]["units"], 0U);
    // Every version is one contribution; between the two numbers one may have come.
    const auto version = view["version"].get<uint64_t>();
    ASSERT_GE(attacks, version);
    if (attacks == version) break;
  }
}

TEST(Staleness, ItsCosineIsMeasuredWhereTheAttackIsStaleAndTheJobSaysSo) {
  for (const auto& [tau, every] : {std::pair(2, 3), {0, 1}, {2, 0}}) {
    LocalRun run(SharedData(),
                 {2,
                  2,
                  {absl::StrCat("training.tau=", tau), absl::StrCat("attack.cosine_every=", every)},
                  ""});
    run.Finish();
    const auto steps = run.Metrics("step");
    ASSERT_EQ(steps.size(), 10U);
    for (int step = 0; step < 10; ++step) {
      const bool measured = tau > 0 && every > 0 && step > 0 && step % every == 0;
      ASSERT_EQ(steps[step].contains("attack_cosine"), measured) << step;
      if (!measured) continue;
      EXPECT_GT(steps[step]["attack_cosine"], 0.5) << "two updates turn it, but not round";
      EXPECT_LT(steps[step]["attack_cosine"], 1);
    }
  }
}

TEST(Staleness, DisAdvIsConAdvWithTauZeroToTheBit) {
  LocalRun disadv(SharedData(), {1, 2, {"training.algorithm=DISADV", "training.tau=0"}, ""});
  LocalRun conadv(SharedData(), {1, 2, {"training.algorithm=CONADV", "training.tau=0"}, ""});
  LocalRun stale(SharedData(), {1, 2, {"training.tau=1"}, ""});
  disadv.Finish();
  conadv.Finish();
  stale.Finish();
  EXPECT_EQ(disadv.crc(), conadv.crc());
  EXPECT_NE(disadv.crc(), stale.crc());
}

}  // namespace
}  // namespace conadv
