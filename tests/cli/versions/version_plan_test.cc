// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_plan.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace conadv {
namespace {

constexpr uint64_t kLineage = 7;

TEST(VersionPlan, EveryKthVersionAndTheLast) {
  VersionPlan plan(10);
  EXPECT_FALSE(plan.See({0, 25, kLineage, 0}));
  std::vector<uint64_t> versions;
  for (; plan.next().has_value(); plan.Wrote()) versions.push_back(*plan.next());
  EXPECT_EQ(versions, (std::vector<uint64_t>{0, 10, 20, 25}));
}

TEST(VersionPlan, ALastVersionThatIsAMultipleComesOnce) {
  VersionPlan plan(10);
  plan.See({20, 20, kLineage, 0});
  EXPECT_EQ(plan.next(), 20);
  plan.Wrote();
  EXPECT_EQ(plan.next(), std::nullopt);
}

TEST(VersionPlan, BeginsWithTheNewestVersionOrTheNextMultiple) {
  VersionPlan newest(10);
  newest.See({30, 100, kLineage, 0});
  EXPECT_EQ(newest.next(), 30);
  VersionPlan later(10);
  later.See({31, 100, kLineage, 0});
  EXPECT_EQ(later.next(), 40);
}

TEST(VersionPlan, GoesOnAfterTheLastMultipleWhileTheEndIsNotKnown) {
  VersionPlan plan(10);
  plan.See({95, 0, kLineage, 0});
  EXPECT_EQ(plan.next(), 100);
  plan.See({98, 98, kLineage, 0});
  EXPECT_EQ(plan.next(), 98);
}

TEST(VersionPlan, WhatIsGoneIsPassedUpToTheNewest) {
  VersionPlan plan(2);
  plan.See({0, 9, kLineage, 0});
  plan.See({6, 9, kLineage, 0});
  EXPECT_EQ(plan.Missed(), std::make_pair(uint64_t{0}, uint64_t{4}));
  EXPECT_EQ(plan.next(), 6);
  EXPECT_EQ(plan.Missed(), std::make_pair(uint64_t{6}, uint64_t{6})) << "the newest one, too";
  EXPECT_EQ(plan.next(), 8);
  plan.See({9, 9, kLineage, 0});
  plan.Missed();
  EXPECT_EQ(plan.next(), 9) << "the last is never passed by way of a newer one";
}

TEST(VersionPlan, WhatARunThatWentBackMakesAnewIsWrittenAnew) {
  VersionPlan plan(10);
  plan.See({0, 50, kLineage, 0});
  for (int i = 0; i < 4; ++i) plan.Wrote();
  EXPECT_EQ(plan.next(), 40);
  EXPECT_FALSE(plan.See({35, 50, 0, 0})) << "it does not know yet how far it goes back";
  EXPECT_EQ(plan.next(), 40);
  EXPECT_TRUE(plan.See({12, 50, 8, 10}));
  EXPECT_EQ(plan.next(), 20);
  EXPECT_FALSE(plan.See({13, 50, 8, 10})) << "once";
  plan.Wrote();
  EXPECT_FALSE(plan.See({22, 50, 9, 21})) << "nothing written is void";
  EXPECT_EQ(plan.next(), 30);
}

TEST(VersionPlan, ARunThatGoesBackFromItsEndIsWrittenToItsEnd) {
  VersionPlan plan(10);
  plan.See({20, 20, kLineage, 0});
  plan.Wrote();
  EXPECT_TRUE(plan.See({15, 20, 8, 15}));
  EXPECT_EQ(plan.next(), 20);
}

}  // namespace
}  // namespace conadv
