// SPDX-License-Identifier: Apache-2.0
// The short form of `make chaos`: what each kind of fault must not change.
#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"
#include "tests/chaos/chaos_run.h"
#include "tests/support/idx_files.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

class Chaos : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteSyntheticIdx(data_.path(), SyntheticOptions()).ok());
    options_.program = absl::StrCat(CONADV_BIN_DIR, "/conadv");
    options_.data = data_.path();
  }
  ChaosResult Run(const std::string& plan) {
    const ChaosResult result = RunWithFaults(options_, *ParseFaultPlan(plan));
    EXPECT_EQ(result.problem, "") << "replay with conadv-chaos --plan=\"" << plan << "\"\n"
                                  << result.log;
    int injected = 0;
    for (const auto& [kind, count] : result.injected) injected += count;
    EXPECT_EQ(injected, static_cast<int>(ParseFaultPlan(plan)->size())) << plan;
    return result;
  }

  TempDir data_;
  ChaosOptions options_;
};

TEST_F(Chaos, KilledStoppedCutAndCorruptedTheWeightsAreTheSameBits) {
  const std::string expected = Run("").crc;
  EXPECT_EQ(Run("at 30 kill server-1; at 60 corrupt server-0; at 90 cut server-0; "
                "at 120 stop worker-1 for 3s; at 150 kill worker-0")
                .crc,
            expected);
  EXPECT_EQ(Run("at 25 disk-full server-1 for 1s; at 50 stop server-0 for 3s; "
                "at 51 kill evaluator; at 100 kill server-0; at 101 kill server-1")
                .crc,
            expected);
}

TEST_F(Chaos, AWorkerThatHangsWhileItsHeartbeatLivesIsFoundAndStartedAnew) {
  const std::string expected = Run("").crc;
  const ChaosResult result =
      Run("at 30 freeze worker-0 for inf; at 31 freeze worker-1 for inf; "
          "at 32 freeze worker-2 for inf");
  EXPECT_EQ(result.crc, expected);
  EXPECT_GE(result.restarts, 1U);
}

TEST_F(Chaos, AnEvaluatorThatHangsWhileItsHeartbeatLivesIsFoundAndStartedAnew) {
  const ChaosResult result = Run("at 10 freeze evaluator for inf");
  EXPECT_GE(result.restarts, 1U);
}

TEST_F(Chaos, WithoutSyncEveryUnitIsInTheLineageOnce) {
  for (const char* mode : {"SSP", "ASYNC"}) {
    options_.settings = {absl::StrCat("training.consistency=", mode), "training.steps=400"};
    const ChaosResult result =
        Run("at 90 kill server-1; at 300 kill worker-2; at 500 cut server-1; at 700 kill server-0");
    EXPECT_EQ(result.version, 400U * 4) << mode;
  }
}

}  // namespace
}  // namespace conadv
