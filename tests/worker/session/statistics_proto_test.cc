// SPDX-License-Identifier: Apache-2.0
#include "worker/session/statistics_proto.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

TEST(StatisticsProto, EveryTotalHasAFieldOfItsOwn) {
  WorkerStatistics statistics;
  statistics.Pulled(absl::Microseconds(7), {1, 12});
  statistics.Pushed(absl::Microseconds(9), {2, 13});
  statistics.AttackWeights(true);
  for (int i = 0; i < 2; ++i) statistics.AttackWeights(false);
  statistics.Cached(3);
  statistics.Waited(WaitCause::kWeights, absl::Seconds(4));
  statistics.Waited(WaitCause::kAttack, absl::Seconds(5));
  statistics.Waited(WaitCause::kLease, absl::Seconds(6));
  statistics.Waited(WaitCause::kPush, absl::Seconds(7));
  statistics.Waited(WaitCause::kData, absl::Seconds(11));
  statistics.Busy(absl::Seconds(8));
  for (int i = 0; i < 9; ++i) statistics.UnitDone();
  statistics.Attacked(10);
  v1::WorkerStats stats;
  ToProto(statistics.totals(), &stats);
  EXPECT_EQ(stats.pull_micros().sum(), 7U);
  EXPECT_EQ(stats.push_micros().sum(), 9U);
  EXPECT_EQ(stats.pulled_bytes(), 1U);
  EXPECT_EQ(stats.pushed_bytes(), 2U);
  EXPECT_EQ(stats.shared_pulled_bytes(), 12U);
  EXPECT_EQ(stats.shared_pushed_bytes(), 13U);
  EXPECT_EQ(stats.attack_cache_hits(), 1U);
  EXPECT_EQ(stats.attack_pulls(), 2U);
  EXPECT_EQ(stats.cached_bytes(), 3U);
  EXPECT_EQ(stats.wait_weights_seconds(), 4);
  EXPECT_EQ(stats.wait_attack_seconds(), 5);
  EXPECT_EQ(stats.wait_lease_seconds(), 6);
  EXPECT_EQ(stats.wait_push_seconds(), 7);
  EXPECT_EQ(stats.wait_data_seconds(), 11);
  EXPECT_EQ(stats.busy_seconds(), 8);
  EXPECT_EQ(stats.units_done(), 9U);
  EXPECT_EQ(stats.attack_examples(), 10U);
}

}  // namespace
}  // namespace conadv
