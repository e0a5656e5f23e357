// SPDX-License-Identifier: Apache-2.0
#include "server/record/worker_stats_book.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

TEST(WorkerStatsBook, AWorkerThatComesAfterManyIsSeen) {
  WorkerStatsBook book;
  v1::WorkerStats stats;
  for (int i = 0; i < 20'000; ++i) {
    stats.set_units_done(i);
    ASSERT_TRUE(book.Set("worker-" + std::to_string(i), stats).ok());
    ASSERT_LE(book.bytes(), WorkerStatsBook::kMostBytes);
  }
  const auto seen = book.Read();
  ASSERT_EQ(seen.count("worker-19999"), 1U);
  EXPECT_EQ(seen.at("worker-19999").units_done(), 19'999U);
  EXPECT_GT(seen.size(), 1000U);
}

}  // namespace
}  // namespace conadv
