// SPDX-License-Identifier: Apache-2.0
// The short form of conadv-soak.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/soak/soak_run.h"

namespace conadv {
namespace {

TEST(Soak, AServersMemoryStaysWithinTheLimitItPrinted) {
  SoakOptions options;
  options.server = absl::StrCat(CONADV_BIN_DIR, "/conadv-server");
  options.run.slots = options.workers;
  options.run.steps = 1000;
  const SoakResult result = RunSoak(options);
  EXPECT_EQ(result.problem, "");
  EXPECT_EQ(CheckMemory(result), "");
}

TEST(Soak, ConnectionsOfManyWorkersAreInTheLimit) {
  SoakOptions options;
  options.server = absl::StrCat(CONADV_BIN_DIR, "/conadv-server");
  options.workers = 64;
  options.run.slots = options.workers;
  options.run.steps = 50;
  const SoakResult result = RunSoak(options);
  EXPECT_EQ(result.problem, "");
  EXPECT_EQ(CheckMemory(result), "");
}

TEST(Soak, MemoryThatGrowsIsFound) {
  SoakResult result;
  EXPECT_NE(CheckMemory(result), "");
  result.limit_bytes = result.most_bytes = 100;
  result.resident_before = 50;
  result.resident_most = 160;
  EXPECT_EQ(CheckMemory(result), "");
  result.resident_most = 161;
  EXPECT_NE(CheckMemory(result), "");
  result.resident_most = 150;
  result.most_bytes = 101;
  EXPECT_NE(CheckMemory(result), "");
}

}  // namespace
}  // namespace conadv
