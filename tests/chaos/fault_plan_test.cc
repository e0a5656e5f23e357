// SPDX-License-Identifier: Apache-2.0
#include "tests/chaos/fault_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/chaos/chaos_run.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(FaultPlan, ASeedMakesOnePlanWhichItsTextGivesBack) {
  std::set<std::string> texts;
  for (uint64_t seed = 0; seed < 100; ++seed) {
    const FaultPlan plan = MakeFaultPlan(seed, FaultPlanOptions());
    EXPECT_GE(plan.size(), 3U);
    EXPECT_LE(plan.size(), 6U);
    const std::string text = ToText(plan);
    EXPECT_EQ(text, ToText(MakeFaultPlan(seed, FaultPlanOptions())));
    const auto parsed = ParseFaultPlan(text);
    ASSERT_TRUE(parsed.ok()) << parsed.status();
    EXPECT_EQ(ToText(*parsed), text);
    texts.insert(text);
  }
  EXPECT_EQ(texts.size(), 100U);
}

TEST(FaultPlan, WhatIsNoFaultIsNamed) {
  for (const char* text : {"kill server-0", "at x kill server-0", "at 5 explode server-0",
                           "at 5 stop worker-0", "at 5 kill worker-0 for 2s"}) {
    const auto plan = ParseFaultPlan(text);
    EXPECT_THAT(std::string(plan.status().message()), HasSubstr(text));
  }
}

TEST(CheckLineage, FindsGapsRepeatsAndAnEarlyEnd) {
  const auto line = [](int version, int step, int slot) {
    return "{\"step\":{\"version\":" + std::to_string(version) +
           ",\"step\":" + std::to_string(step) + ",\"slot\":" + std::to_string(slot) + "}}\n";
  };
  EXPECT_EQ(CheckLineage(line(1, 0, 1) + line(2, 0, 0), 2), "");
  EXPECT_THAT(CheckLineage(line(1, 0, 1) + line(3, 0, 0), 3), HasSubstr("no version 2"));
  EXPECT_THAT(CheckLineage(line(1, 0, 1) + line(2, 0, 1), 2), HasSubstr("twice"));
  EXPECT_THAT(CheckLineage(line(1, 0, 1), 2), HasSubstr("ends with version 1 of 2"));
}

}  // namespace
}  // namespace conadv
