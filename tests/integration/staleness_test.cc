// SPDX-License-Identifier: Apache-2.0
// Staleness is what the job says, and it is measured.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
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

TEST(Staleness, TheInspectorsHistogramsCountEveryContribution) {
  LocalRun run(
      SharedData(),
      {1, 2, {"training.consistency=ASYNC", "training.steps=60", "attack.cosine_every=5"}, ""});
  const std::string coordinator = run.Coordinator();
  Process watch({BinaryPath("conadv"), "staleness", "--server=" + coordinator, "--watch",
                 "--interval=0.05", "--json"});
  run.Finish();
  ASSERT_TRUE(watch.Wait(absl::Minutes(1)).ok());
  const std::string& text = watch.output();
  const size_t last = text.rfind('\n', text.size() - 2);
  const nlohmann::json view =
      nlohmann::json::parse(text.substr(last == std::string::npos ? 0 : last + 1));
  const auto count = [&](const char* field) { return view[field]["count"].get<uint64_t>(); };
  const auto version = view["version"].get<uint64_t>();
  EXPECT_EQ(count("attack_staleness"), version);
  EXPECT_EQ(count("update_staleness"), version);
  EXPECT_GT(count("update_staleness"), 0U);
  // Where it arose adds up to what there is, in all and by worker.
  std::vector<nlohmann::json> views = view["workers"];
  views.push_back(view);
  for (const nlohmann::json& of : views) {
    const auto from = [&](const char* origin) { return of["origins"][origin].get<uint64_t>(); };
    EXPECT_EQ(from("attack_lease") + from("attack_queue") + from("attack_compute"),
              of["attack_staleness"]["sum"].get<uint64_t>());
    EXPECT_EQ(from("attack_unsaid"), 0U);
    EXPECT_EQ(from("update_compute") + from("update_apply"),
              of["update_staleness"]["sum"].get<uint64_t>());
  }
  EXPECT_GT(view["attack_cosine"]["units"].get<uint64_t>(), 0U);
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
