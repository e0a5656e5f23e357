// SPDX-License-Identifier: Apache-2.0
// What a return to a checkpoint cost.
#include "server/metrics/goodput.h"

#include <gtest/gtest.h>

namespace conadv {
namespace {

absl::Time At(double seconds) { return absl::UnixEpoch() + absl::Seconds(seconds); }

Goodput::Sight Sight(uint64_t lineage, uint64_t first, uint64_t newest, double began, double last) {
  return {Lineage(lineage), Version(first), Version(newest), At(began), At(last)};
}

TEST(Goodput, ARunThatNeverGoesBackLosesNothing) {
  Goodput goodput;
  EXPECT_EQ(goodput.sums().lineages, 0U);
  goodput.See(Sight(1, 0, 0, 10, 10));
  goodput.See(Sight(1, 0, 4, 10, 14));
  goodput.See(Sight(1, 0, 4, 10, 14));
  const Goodput::Sums sums = goodput.sums();
  EXPECT_EQ(sums.lineages, 1U);
  EXPECT_EQ(sums.made_updates, 4U);
  EXPECT_EQ(sums.lost_updates, 0U);
  EXPECT_EQ(sums.trained, absl::Seconds(4));
  EXPECT_EQ(sums.lost, absl::ZeroDuration());
}

TEST(Goodput, WhatCameAfterTheCheckpointIsLostAndSoIsTheWayBack) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 10, 0, 10));
  goodput.See(Sight(2, 6, 6, 13, 13));
  goodput.See(Sight(2, 6, 8, 13, 15));
  const Goodput::Sums sums = goodput.sums();
  EXPECT_EQ(sums.made_updates, 12U);
  EXPECT_EQ(sums.lost_updates, 4U);
  EXPECT_EQ(sums.trained, absl::Seconds(15));
  EXPECT_EQ(sums.lost, absl::Seconds(4 + 3)) << "four updates of a second, and three to go back";
}

TEST(Goodput, GoingBackBehindAnEarlierReturnTakesThatBackToo) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 10, 0, 10));
  goodput.See(Sight(2, 6, 8, 10, 12));
  goodput.See(Sight(3, 2, 2, 12, 12));
  EXPECT_EQ(goodput.sums().made_updates, 12U);
  EXPECT_EQ(goodput.sums().lost_updates, 10U) << "all but the first two";
  goodput.See(Sight(4, 0, 0, 12, 12));
  EXPECT_EQ(goodput.sums().lost_updates, 12U);
  EXPECT_EQ(goodput.sums().lost, absl::Seconds(12));
}

TEST(Goodput, ALineageThatMadeNothingLosesNothing) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 5, 0, 5));
  for (uint64_t lineage = 2; lineage < 5; ++lineage) goodput.See(Sight(lineage, 5, 5, 5, 5));
  EXPECT_EQ(goodput.sums().lineages, 4U);
  EXPECT_EQ(goodput.sums().lost_updates, 0U);
}

TEST(Goodput, AProcessThatFollowsGoesOnCountingAndTheTimeBetweenIsLost) {
  Goodput goodput;
  EXPECT_FALSE(goodput.ToRecord(At(0), At(0)).has_value());
  goodput.See(Sight(1, 0, 10, 0, 10));
  // The calendar says 5,000 where the first process' clock says 11, and the other's 700.
  Goodput next =
      Goodput::FromRecord(*goodput.ToRecord(At(11), At(5000)), At(700), At(700), At(5020));
  EXPECT_EQ(next.sums().made_updates, 10U);
  EXPECT_EQ(next.sums().trained, absl::Seconds(10));
  next.See(Sight(2, 6, 6, 702, 702));
  next.See(Sight(2, 6, 8, 702, 704));
  EXPECT_EQ(next.sums().lineages, 2U);
  EXPECT_EQ(next.sums().made_updates, 12U);
  EXPECT_EQ(next.sums().lost_updates, 4U);
  EXPECT_EQ(next.sums().lost, absl::Seconds(4 + 1 + 20 + 2));
  EXPECT_EQ(next.sums().trained, absl::Seconds(10 + 1 + 20 + 2 + 2));
}

TEST(Goodput, WhatNobodySawBeforeACheckpointCountsAtThePaceOfWhatWasSeen) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 10, 0, 20));
  Goodput next = Goodput::FromRecord(*goodput.ToRecord(At(20), At(20)), At(48), At(49), At(49));
  // It died at about 30, with a checkpoint of version 13.
  next.See(Sight(2, 13, 13, 50, 50));
  EXPECT_EQ(next.sums().made_updates, 13U);
  EXPECT_EQ(next.sums().lost_updates, 0U);
  EXPECT_EQ(next.sums().lost, absl::Seconds(30 - 3 * 2));
}

TEST(Goodput, WhatAReturnTookIsLostHoweverSlowTheRunWasBefore) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 2, 0, 20));
  // At that pace, versions 3 to 9 would have taken until long after the process that follows began.
  Goodput next = Goodput::FromRecord(*goodput.ToRecord(At(20), At(20)), At(25), At(27), At(27));
  next.See(Sight(2, 9, 9, 28, 28));
  EXPECT_EQ(next.sums().made_updates, 9U);
  EXPECT_EQ(next.sums().lost, absl::Seconds(28 - 25));
}

TEST(Goodput, ACalendarThatIsSetBackTakesNothingBack) {
  Goodput goodput;
  goodput.See(Sight(1, 0, 10, 0, 10));
  Goodput next = Goodput::FromRecord(*goodput.ToRecord(At(10), At(5000)), At(1), At(1), At(40));
  next.See(Sight(2, 10, 12, 2, 4));
  EXPECT_EQ(next.sums().trained, absl::Seconds(10 + 1 + 2));
  EXPECT_EQ(next.sums().lost, absl::Seconds(1));
}

TEST(Goodput, NoSumEverFalls) {
  Goodput goodput;
  Goodput::Sums before;
  uint64_t version = 0;
  for (uint64_t lineage = 1; lineage < 300; ++lineage) {
    const uint64_t first = version - version % 3;
    const double now = static_cast<double>(4 * lineage);
    version = first + lineage % 5;
    goodput.See(Sight(lineage, first, version, now, now + 2));
    if (lineage % 4 == 0) {  // another process goes on
      goodput = Goodput::FromRecord(*goodput.ToRecord(At(now + 2), At(now)), At(now + 2),
                                    At(now + 2), At(now));
    }
    const Goodput::Sums sums = goodput.sums();
    EXPECT_GE(sums.made_updates, before.made_updates);
    EXPECT_GE(sums.lost_updates, before.lost_updates);
    EXPECT_GE(sums.trained, before.trained);
    EXPECT_GE(sums.lost, before.lost);
    EXPECT_EQ(sums.made_updates - sums.lost_updates, version);
    EXPECT_LE(sums.lost, sums.trained);
    before = sums;
  }
}

}  // namespace
}  // namespace conadv
