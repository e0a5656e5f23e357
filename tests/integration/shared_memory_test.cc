// SPDX-License-Identifier: Apache-2.0
// Processes of one machine share memory by themselves, and nothing is different for it.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "tests/integration/local_run.h"

namespace conadv {
namespace {

std::string CrcWithMemory(int servers, int workers, const std::string& how,
                          const std::vector<std::string>& settings) {
  LocalRun run(SharedData(), {servers, workers, settings, "", {"--shared_memory=" + how}});
  run.Finish();
  return run.crc();
}

// Bytes by their field's name, of all workers, when `run` is under way.
uint64_t BytesOf(const nlohmann::json& staleness, const std::string& field) {
  uint64_t sum = 0;
  for (const auto& worker : staleness.value("workers", nlohmann::json::array())) {
    // None before its first heartbeat.
    if (worker["stats"].is_object()) sum += worker["stats"].value(field, uint64_t{0});
  }
  return sum;
}
nlohmann::json StalenessOf(const std::string& coordinator) {
  Process asks({BinaryPath("conadv"), "staleness", "--json", "--server=" + coordinator});
  EXPECT_TRUE(asks.Wait(absl::Minutes(1)).ok());
  return nlohmann::json::parse(asks.output(), nullptr, /*allow_exceptions=*/false);
}

// From the first heartbeat on in which a worker has something to say.
nlohmann::json FirstFigures(const std::string& coordinator) {
  const absl::Time until = absl::Now() + absl::Minutes(1);
  while (absl::Now() < until) {
    const nlohmann::json staleness = StalenessOf(coordinator);
    if (BytesOf(staleness, "shared_pulled_bytes") + BytesOf(staleness, "pulled_bytes") > 0) {
      return staleness;
    }
  }
  ADD_FAILURE() << "no worker says what it pulled";
  return {};
}

TEST(SharedMemory, TheSameBitsAsOverTheNetworkForAnyNumberOfWorkersAndShards) {
  const std::vector<std::string> settings = {"training.steps=30"};
  const std::string expected = CrcWithMemory(1, 1, "off", settings);
  EXPECT_EQ(expected.size(), 8U);
  EXPECT_EQ(CrcWithMemory(1, 1, "auto", settings), expected);
  EXPECT_EQ(CrcWithMemory(2, 2, "auto", settings), expected);
  EXPECT_EQ(CrcWithMemory(2, 2, "off", settings), expected);
}

TEST(SharedMemory, OnOneMachineNothingGoesOverTheNetworkUnlessItIsTurnedOff) {
  for (const bool off : {false, true}) {
    LocalRun run(SharedData(), {1,
                                2,
                                {"training.steps=100000"},
                                "",
                                {off ? "--shared_memory=off" : "--shared_memory=auto"}});
    const nlohmann::json staleness = FirstFigures(run.Coordinator());
    const uint64_t pulled = BytesOf(staleness, off ? "shared_pulled_bytes" : "pulled_bytes");
    EXPECT_EQ(pulled, 0U);
    const uint64_t pushed = BytesOf(staleness, "pushed_bytes");
    const uint64_t shared = BytesOf(staleness, "shared_pushed_bytes");
    // The initial weights always do.
    if (off) {
      EXPECT_EQ(shared, 0U);
    } else {
      EXPECT_GT(shared, pushed);
    }
  }
}

// Whoever dies leaves nothing that the others wait for, or that changes under them.
TEST(SharedMemory, TheSameBitsThoughServersAndWorkersAreKilled) {
  const std::vector<std::string> settings = {"training.steps=300", "model.width=64",
                                             "server.checkpoint_every=10"};
  LocalRun run(SharedData(), {2, 2, settings, "", {}});
  int version = 30;
  for (const char* child : {"worker-1", "--shard=0", "--shard=1", "worker-0"}) {
    run.AwaitVersion(version);
    version += 60;
    const pid_t pid = FindChild(run.process().pid(), child);
    EXPECT_GT(pid, 0) << child;
    if (pid > 0) {
      EXPECT_EQ(kill(pid, SIGKILL), 0);
    }
  }
  run.Finish();
  EXPECT_GE(run.summary()["restarts"], 4);
  EXPECT_EQ(run.crc(), CrcWithMemory(1, 1, "off", settings));
}

}  // namespace
}  // namespace conadv
