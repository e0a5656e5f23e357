// SPDX-License-Identifier: Apache-2.0
// Workers come, go and begin anew; what they did stays counted.
#include "server/record/worker_sums.h"

#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "common/stats/histogram_proto.h"

namespace conadv {
namespace {

WorkerSums Sums(uint64_t units, double busy, uint64_t pulls) {
  v1::WorkerStats stats;
  stats.set_units_done(units);
  stats.set_busy_seconds(busy);
  Histogram pull;
  pull.Add(500, pulls);
  *stats.mutable_pull_micros() = ToProto(pull);
  return WorkerSums::Of(stats);
}

TEST(WorkerSums, WhatAWorkerSaysAgainCountsOnce) {
  AllWorkerSums sums;
  sums.Set("a", Sums(3, 1, 2));
  sums.Set("a", Sums(5, 2, 4));
  sums.Set("b", Sums(1, 1, 1));
  EXPECT_EQ(sums.all().values[WorkerSums::kUnitsDone], 6);
  EXPECT_EQ(sums.all().values[WorkerSums::kBusySeconds], 3);
  EXPECT_EQ(sums.all().pull.counts[0], 5U);
  EXPECT_DOUBLE_EQ(sums.all().pull.sum, 0.0025);
}

TEST(WorkerSums, AWorkerThatBeginsAnewAddsToWhatItHadDone) {
  AllWorkerSums sums;
  sums.Set("a", Sums(5, 2, 4));
  sums.Set("a", Sums(1, 0.5, 1));
  EXPECT_EQ(sums.all().values[WorkerSums::kUnitsDone], 6);
  EXPECT_EQ(sums.all().values[WorkerSums::kBusySeconds], 2.5);
  EXPECT_EQ(sums.all().pull.counts[0], 5U);
}

TEST(WorkerSums, WhatCannotBeCountsAsNothing) {
  v1::WorkerStats stats;
  stats.set_busy_seconds(std::numeric_limits<double>::quiet_NaN());
  stats.set_wait_push_seconds(-1);
  stats.set_wait_data_seconds(std::numeric_limits<double>::infinity());
  const WorkerSums sums = WorkerSums::Of(stats);
  for (const double value : sums.values) EXPECT_EQ(value, 0);
}

TEST(WorkerSums, ManyNamesTakeBoundedRoomAndNothingThatWasCountedGoes) {
  AllWorkerSums sums;
  for (int i = 0; i < 20'000; ++i) sums.Set("worker-" + std::to_string(i), Sums(1, 0, 1));
  EXPECT_LE(sums.bytes(), AllWorkerSums::kMostBytes);
  EXPECT_EQ(sums.all().values[WorkerSums::kUnitsDone], 20'000);
}

}  // namespace
}  // namespace conadv
