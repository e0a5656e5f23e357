// SPDX-License-Identifier: Apache-2.0
#include "server/lease/lease_table.h"

#include <gtest/gtest.h>

#include "common/base/random.h"
#include "server/lease/lease_options.h"

namespace conadv {
namespace {

const MemberId kA(1);
const MemberId kB(2);

Unit At(uint64_t step, uint64_t slot) { return {Step(step), Slot(slot)}; }

TEST(LeaseTable, UnitsAreLeasedInOrder) {
  LeaseTable table({2, 2, 10});
  EXPECT_EQ(table.Lease(kA), At(0, 0));
  EXPECT_EQ(table.Lease(kB), At(0, 1));
  EXPECT_EQ(table.Lease(kA), At(1, 0));
  EXPECT_EQ(table.Lease(kA), At(1, 1));
  EXPECT_EQ(table.Lease(kA), std::nullopt);
  EXPECT_EQ(table.held_by(kA), 3U);
}

TEST(LeaseTable, NeverLeasesPastTheWindow) {
  LeaseTable table({100, 2, 1});
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(table.Lease(kA).has_value());
  EXPECT_FALSE(table.Next().has_value());
  EXPECT_TRUE(table.MarkDone(At(0, 1)));
  EXPECT_FALSE(table.Next().has_value()) << "step 0 is still open";
  EXPECT_TRUE(table.MarkDone(At(0, 0)));
  EXPECT_EQ(table.Lease(kA), At(2, 0));
}

TEST(LeaseTable, WhatComesBackIsLeasedFirst) {
  LeaseTable table({100, 2, 1});
  for (int i = 0; i < 3; ++i) table.Lease(kA);
  EXPECT_EQ(table.ReleaseAll(kA), 3U);
  EXPECT_EQ(table.Lease(kB), At(0, 0));
  EXPECT_EQ(table.Lease(kB), At(0, 1));
  EXPECT_EQ(table.Lease(kB), At(1, 0));
  EXPECT_EQ(table.Lease(kB), At(1, 1));
}

TEST(LeaseTable, AUnitIsDoneOnceWhoeverSaysSo) {
  LeaseTable table({2, 1, 1});
  table.Lease(kA);
  table.ReleaseAll(kA);
  EXPECT_EQ(table.Lease(kB), At(0, 0));
  EXPECT_TRUE(table.MarkDone(At(0, 0)));   // A was not dead after all
  EXPECT_FALSE(table.MarkDone(At(0, 0)));  // and B finishes too
  EXPECT_EQ(table.held_by(kB), 0U);
  EXPECT_FALSE(table.Release(At(0, 0), kB));
}

TEST(LeaseTable, AUnitWithTwoHoldersGoesBackOnlyWhenBothAreGone) {
  LeaseTable table({2, 1, 0});
  table.Lease(kA);
  EXPECT_FALSE(table.LeaseAlso(At(0, 0), kA));
  EXPECT_TRUE(table.LeaseAlso(At(0, 0), kB));
  EXPECT_FALSE(table.LeaseAlso(At(1, 0), kB)) << "nobody holds it";
  table.ReleaseAll(kA);
  EXPECT_FALSE(table.Next().has_value());
  EXPECT_EQ(table.held_by(kB), 1U);
  table.ReleaseAll(kB);
  EXPECT_EQ(table.Next(), At(0, 0));
}

TEST(LeaseTable, WhenOneOfTwoHoldersIsDoneNeitherHoldsIt) {
  LeaseTable table({2, 1, 0});
  table.Lease(kA);
  table.LeaseAlso(At(0, 0), kB);
  EXPECT_TRUE(table.MarkDone(At(0, 0)));
  EXPECT_EQ(table.held_by(kA), 0U);
  EXPECT_EQ(table.held_by(kB), 0U);
}

TEST(LeaseTable, GoesOnWhereALedgerStands) {
  // Units 0 to 2, 4 and 7 of two a step are done.
  LeaseTable table({5, 2, 100}, UnitLedger(2, 3, {4, 7}), 2);
  EXPECT_EQ(table.oldest_unfinished(), Step(1));
  std::vector<Unit> leased;
  while (const auto unit = table.Lease(kA)) leased.push_back(*unit);
  EXPECT_EQ(leased, (std::vector<Unit>{At(1, 1), At(2, 1), At(3, 0), At(4, 0), At(4, 1)}));
}

TEST(LeaseTable, GoesOnAfterWholeStepsAndIsFinishedAfterTheLast) {
  LeaseTable table({5, 4, 0}, UnitLedger(1, Step(3)), 1);
  EXPECT_EQ(table.Lease(kA), At(3, 0));
  EXPECT_TRUE(LeaseTable({5, 4, 0}, UnitLedger(1, Step(5)), 1).finished());
}

TEST(LeaseTable, NeverLeasedUnitsCannotBeDone) {
  LeaseTable table({2, 1, 1});
  EXPECT_FALSE(table.MarkDone(At(0, 0)));
  EXPECT_FALSE(table.MarkDone(At(7, 9)));
  EXPECT_EQ(table.oldest_unfinished(), Step(0));
}

// Any history of leases, deaths and repeats ends with every unit done once, within the window all
// the way.
TEST(LeaseTable, EveryUnitIsDoneExactlyOnceInAnyHistory) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed, Purpose::kPermutation);
    const LeaseOptions options{6, 3, random.Below(3)};
    LeaseTable table(options);
    uint64_t done = 0;
    while (!table.finished()) {
      const MemberId member(1 + random.Below(3));
      switch (random.Below(4)) {
        case 0:
        case 1:
          if (const auto unit = table.Lease(member); unit.has_value()) {
            ASSERT_LE(unit->step.Since(table.oldest_unfinished()), options.window);
          }
          break;
        case 2:
          for (const Unit& unit : table.units_of(member)) done += table.MarkDone(unit) ? 1 : 0;
          break;
        case 3: table.ReleaseAll(member); break;
      }
    }
    EXPECT_EQ(done, options.steps * options.slots);
  }
}

LeaseOptions OptionsOf(const TrainingOptions& training, uint32_t shards = 1) {
  Job job;
  job.training = training;
  job.server.retain = 10;
  return LeaseOptionsOf(job, shards, 10);
}

TEST(Grant, SspNeverLeasesPastItsBoundAndAsyncHasNone) {
  TrainingOptions training;
  training.slots = 2;
  training.consistency = Consistency::kSsp;
  training.staleness_bound = 3;
  EXPECT_EQ(OptionsOf(training).window, 3U);
  training.consistency = Consistency::kAsync;
  LeaseTable table(OptionsOf(training));
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(table.Lease(kA).has_value());
}

// Shard 0 may apply all that is leased while another shard waits for the oldest unit.
TEST(Grant, WithSeveralShardsUnitsAreLeasedOnlyAsFarAsBothKeepAVersion) {
  TrainingOptions training;
  training.slots = 2;
  training.consistency = Consistency::kAsync;
  LeaseTable table(OptionsOf(training, 2));
  const Unit oldest = *table.Lease(kA);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(table.Lease(kB).has_value()) << i;
  EXPECT_EQ(table.Lease(kB), std::nullopt);
  EXPECT_TRUE(table.MarkDone({Step(1), Slot(0)}));
  EXPECT_EQ(table.Lease(kB), std::nullopt);
  EXPECT_TRUE(table.MarkDone(oldest));
  EXPECT_TRUE(table.Lease(kB).has_value());
}

TEST(LeaseTable, AMemberAnswersOnceForWhatItWasGivenWhoeverHasDoneItMeanwhile) {
  LeaseTable table({2, 2, 10});
  const Unit unit = *table.Lease(kA);
  EXPECT_FALSE(table.Answer(unit, kB));
  EXPECT_TRUE(table.Release(unit, kA));
  EXPECT_EQ(table.Lease(kB), unit);
  EXPECT_TRUE(table.Answer(unit, kA)) << "it was taken back";
  EXPECT_FALSE(table.Answer(unit, kA));
  EXPECT_TRUE(table.MarkDone(unit));
  EXPECT_TRUE(table.Answer(unit, kB)) << "the other was faster";
  table.Lease(kB);
  table.ReleaseAll(kB);
  EXPECT_FALSE(table.Answer(At(0, 1), kB)) << "it is gone";
}

}  // namespace
}  // namespace conadv
