// SPDX-License-Identifier: Apache-2.0
// Gradients that leave while their pass goes on are the gradients that leave after it.
#include <gtest/gtest.h>
#include <signal.h>

#include <string>
#include <vector>

#include "tests/integration/local_run.h"

namespace conadv {
namespace {

// Several chunks of each shard's gradients.
std::vector<std::string> Settings(std::vector<std::string> more) {
  more.insert(more.end(), {"training.steps=12", "model.width=1200"});
  return more;
}

LocalRun::Options Options(int servers, int workers, const std::string& overlap,
                          const std::vector<std::string>& settings,
                          const std::string& shared_memory = "off") {
  const std::string shared = "--shared_memory=" + shared_memory;
  return {servers, workers, settings, "", {shared, "--overlap=" + overlap}};
}

std::string CrcWithOverlap(int servers, int workers, const std::string& overlap,
                           const std::vector<std::string>& settings) {
  LocalRun run(SharedData(), Options(servers, workers, overlap, settings));
  run.Finish();
  return run.crc();
}

TEST(Overlap, TheSameBitsAsAfterThePassForAnyNumberOfWorkersAndShards) {
  const std::vector<std::string> settings = Settings({"training.mixture_batch_norm=true"});
  const std::string expected = CrcWithOverlap(1, 1, "off", settings);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcWithOverlap(1, 1, "auto", settings), expected);
  EXPECT_EQ(CrcWithOverlap(2, 2, "auto", settings), expected);
}

TEST(Overlap, TheSameBitsWhereGradientsAreRounded) {
  const std::vector<std::string> settings = Settings({"wire.gradients=BF16"});
  EXPECT_EQ(CrcWithOverlap(2, 2, "auto", settings), CrcWithOverlap(1, 1, "off", settings));
}

// Pushes that had begun break off in their middle.
TEST(Overlap, TheSameBitsThoughWorkersAreKilled) {
  std::vector<std::string> settings = Settings({});
  settings.push_back("training.steps=60");
  LocalRun run(SharedData(), Options(2, 2, "auto", settings));
  int version = 10;
  for (const char* child : {"worker-1", "worker-0"}) {
    run.AwaitVersion(version);
    version += 20;
    const pid_t pid = FindChild(run.process().pid(), child);
    ASSERT_GT(pid, 0) << child;
    EXPECT_EQ(kill(pid, SIGKILL), 0);
  }
  run.Finish();
  EXPECT_EQ(run.crc(), CrcWithOverlap(1, 1, "off", settings));
}

TEST(Overlap, TheSameBitsThroughSharedMemoryThoughAWorkerIsKilled) {
  // Large enough to leave before it is whole.
  const std::vector<std::string> settings = {"training.steps=20", "model.width=2048"};
  LocalRun run(SharedData(), Options(1, 2, "auto", settings, "auto"));
  run.AwaitVersion(6);
  const pid_t pid = FindChild(run.process().pid(), "worker-1");
  ASSERT_GT(pid, 0);
  EXPECT_EQ(kill(pid, SIGKILL), 0);
  run.Finish();
  EXPECT_EQ(run.crc(), CrcWithOverlap(1, 1, "off", settings));
}

}  // namespace
}  // namespace conadv
