// SPDX-License-Identifier: Apache-2.0
#include "server/record/divergence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::HasSubstr;

void AddMany(Divergence& divergence, double loss, int updates) {
  for (int i = 0; i < updates; ++i) divergence.Add(loss);
}

TEST(Divergence, ALossThatFallsOrWaversIsNoNews) {
  Divergence divergence;
  for (int i = 0; i < 1000; ++i) {
    divergence.Add(2.3 / (1 + i) + (i % 2 == 0 ? 0.2 : 0));
    EXPECT_EQ(divergence.warning(), "") << i;
  }
}

TEST(Divergence, ALossThatRisesIsToldWithItsFiguresUntilItFallsAgain) {
  Divergence divergence;
  AddMany(divergence, 0.5, 100);
  AddMany(divergence, 4, 200);
  EXPECT_THAT(divergence.warning(), HasSubstr("from 0.5 to 3.99"));
  AddMany(divergence, 0.6, 200);
  EXPECT_EQ(divergence.warning(), "");
}

TEST(Divergence, AFewUpdatesSayNothing) {
  Divergence divergence;
  divergence.Add(0.1);
  AddMany(divergence, 100, 20);
  EXPECT_EQ(divergence.warning(), "");
}

}  // namespace
}  // namespace conadv
