// SPDX-License-Identifier: Apache-2.0
#include "worker/statistics/statistics.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace conadv {
namespace {

TEST(WorkerStatistics, BooksEachWaitUnderItsCause) {
  WorkerStatistics statistics;
  statistics.Waited(WaitCause::kWeights, absl::Seconds(1));
  statistics.Waited(WaitCause::kPush, absl::Seconds(2));
  statistics.Waited(WaitCause::kWeights, absl::Seconds(3));
  const WorkerTotals totals = statistics.totals();
  EXPECT_EQ(totals.waited_for(WaitCause::kWeights), absl::Seconds(4));
  EXPECT_EQ(totals.waited_for(WaitCause::kPush), absl::Seconds(2));
  EXPECT_EQ(totals.waited_for(WaitCause::kAttack), absl::ZeroDuration());
  EXPECT_EQ(totals.waited_for(WaitCause::kLease), absl::ZeroDuration());
}

TEST(WorkerStatistics, AClockThatGoesBackIsNoTime) {
  WorkerStatistics statistics;
  statistics.Pulled(-absl::Seconds(1), {8, 3});
  EXPECT_EQ(statistics.totals().pull_micros.sum(), 0U);
  EXPECT_EQ(statistics.totals().pull_micros.count(), 1U);
  EXPECT_EQ(statistics.totals().pulled_bytes.network, 8U);
  EXPECT_EQ(statistics.totals().pulled_bytes.shared, 3U);
}

TEST(WorkerStatistics, CountsWhatEveryThreadSays) {
  WorkerStatistics statistics;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&statistics] {
      for (int n = 0; n < 1000; ++n) {
        statistics.UnitDone();
        statistics.Attacked(3);
        statistics.AttackWeights(/*cached=*/n % 2 == 0);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const WorkerTotals totals = statistics.totals();
  EXPECT_EQ(totals.units_done, 4000U);
  EXPECT_EQ(totals.attack_examples, 12000U);
  EXPECT_EQ(totals.attack_cache_hits, 2000U);
  EXPECT_EQ(totals.attack_pulls, 2000U);
}

}  // namespace
}  // namespace conadv
