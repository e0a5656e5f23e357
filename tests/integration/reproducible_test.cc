// SPDX-License-Identifier: Apache-2.0
// The final weights are a function of the job: not of who computed them, nor of who died meanwhile.
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/local_run.h"

namespace conadv {
namespace {

const std::vector<std::string> kLongerSteps = {"training.steps=30"};

std::string CrcOf(int servers, int workers, std::vector<std::string> settings) {
  LocalRun run(SharedData(), {servers, workers, std::move(settings), ""});
  run.Finish();
  return run.crc();
}

TEST(Reproducible, TheSameBitsForAnyNumberOfWorkersAndShards) {
  const std::string expected = CrcOf(1, 1, kLongerSteps);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcOf(1, 3, kLongerSteps), expected);
  EXPECT_EQ(CrcOf(2, 1, kLongerSteps), expected);
  EXPECT_EQ(CrcOf(2, 3, kLongerSteps), expected);
}

TEST(Reproducible, AnotherSeedGivesOtherBits) {
  EXPECT_NE(CrcOf(1, 1, {"seed=4"}), CrcOf(1, 1, {"seed=5"}));
}

TEST(Reproducible, ConvnetWithLarsRandomStartsAndTargetsToo) {
  const std::vector<std::string> settings = {"model.builtin=convnet",
                                             "model.width=8",
                                             "training.tau=2",
                                             "attack.step=SIGN",
                                             "attack.epsilon=0.1",
                                             "attack.random_start=0.8",
                                             "attack.targeted=true",
                                             "attack.steps=2",
                                             "optimizer.lars.trust=0.02",
                                             "training.label_smoothing=0.1"};
  EXPECT_EQ(CrcOf(1, 1, settings), CrcOf(2, 2, settings));
}

TEST(Reproducible, PassesInBf16TooAndTheyAreOtherBitsThanFloat32) {
  const std::vector<std::string> settings = {"model.builtin=resnet20", "model.width=4",
                                             "training.steps=6"};
  std::vector<std::string> fast = settings;
  for (const char* setting : {"training.precision=BF16", "attack.precision=BF16"}) {
    fast.emplace_back(setting);
    const std::string expected = CrcOf(1, 1, fast);
    EXPECT_EQ(CrcOf(1, 3, fast), expected) << setting;
    EXPECT_NE(CrcOf(1, 1, settings), expected) << setting;
  }
}

// Kills a worker once the run is under way; `conadv train` starts another.
TEST(Reproducible, AKilledWorkerChangesNothing) {
  const std::vector<std::string> settings = {"training.steps=400", "model.width=64"};
  const std::string expected = CrcOf(1, 2, settings);
  LocalRun run(SharedData(), {1, 2, settings, ""});
  const std::string coordinator = run.Coordinator();
  // Under way: version 20 can be pulled.
  Process pull({BinaryPath("conadv"), "pull", "--server=" + coordinator, "--version=20",
                "--out=" + run.out() + "/20.safetensors"});
  ASSERT_TRUE(pull.Wait(absl::Minutes(1)).ok());
  const pid_t worker = FindChild(run.process().pid(), "worker-1");
  ASSERT_GT(worker, 0);
  ASSERT_EQ(kill(worker, SIGKILL), 0);
  run.Finish();
  EXPECT_EQ(run.crc(), expected);
}

}  // namespace
}  // namespace conadv
