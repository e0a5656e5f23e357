// SPDX-License-Identifier: Apache-2.0
// Runs that are changed, drained and stopped while they train, as people start them on several
// machines: every process for itself.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/time/clock.h"
#include "tests/integration/local_run.h"
#include "tests/support/process.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

// Servers and workers of one run.
class Cluster {
 public:
  Cluster(int servers, const std::string& job) : servers_(servers) {
    WriteFile(directory_ / "job", job);
    for (int shard = 0; shard < servers; ++shard) StartServer(shard);
  }

  void StartServer(int shard) {
    const std::string listen = addresses_.size() > static_cast<size_t>(shard)
                                   ? addresses_[shard]
                                   : std::string("127.0.0.1:0");
    std::vector<std::string> arguments = {
        BinaryPath("conadv-server"),
        absl::StrCat("--job=", directory_ / "job"),
        absl::StrCat("--shard=", shard),
        absl::StrCat("--shards=", servers_),
        absl::StrCat("--listen=", listen),
        absl::StrCat("--checkpoint_dir=", directory_ / absl::StrCat("shard-", shard)),
        "--when_done=wait"};
    if (shard > 0) arguments.push_back("--coordinator=" + addresses_[0]);
    auto server = std::make_unique<Process>(arguments);
    const auto address = server->ReadAfter("listening on ", kPatience);
    ASSERT_TRUE(address.ok()) << address.status();
    if (addresses_.size() == static_cast<size_t>(shard)) {
      addresses_.push_back(*address);
      servers_running_.push_back(std::move(server));
    } else {
      servers_running_[shard] = std::move(server);
    }
  }
  void StartWorker(const std::string& name, std::vector<std::string> flags = {}) {
    flags.insert(flags.begin(),
                 {BinaryPath("conadv-worker"), "--coordinator=" + addresses_[0], "--name=" + name});
    workers.push_back(std::make_unique<Process>(std::move(flags)));
  }
  // What `conadv COMMAND` answers, as JSON; null if it fails, with what it said.
  nlohmann::json Ask(std::vector<std::string> command, std::string* said = nullptr) {
    command.insert(command.begin(), BinaryPath("conadv"));
    command.insert(command.end(), {"--server=" + addresses_[0], "--json"});
    Process process(command);
    const auto exit = process.Wait(kPatience);
    if (said != nullptr) *said = process.error();
    if (!exit.ok() || !exit->ok()) return nullptr;
    return nlohmann::json::parse(process.output());
  }
  // Until the run is at this version, and past it.
  void AwaitVersion(uint64_t version) {
    const absl::Time until = absl::Now() + kPatience;
    while (absl::Now() < until) {
      const nlohmann::json status = Ask({"status"});
      if (status.is_object() && status["version"] >= version) return;
    }
    FAIL() << "version " << version << " does not come";
  }
  // Until so many take part.
  void AwaitWorkers(int count) {
    const absl::Time until = absl::Now() + kPatience;
    while (absl::Now() < until) {
      const nlohmann::json status = Ask({"status"});
      if (status.is_object() && status["workers"] == count) return;
    }
    FAIL() << count << " workers do not come";
  }
  void AwaitWaitingForWorkers() {
    const absl::Time until = absl::Now() + kPatience;
    while (absl::Now() < until) {
      const nlohmann::json status = Ask({"status"});
      if (status.is_object() && status["message"] == "waiting for workers") return;
    }
    FAIL() << "the servers do not find each other";
  }
  std::string FinalWeights() {
    for (const auto& worker : workers) {
      const auto exit = worker->Wait(kPatience);
      EXPECT_TRUE(exit.ok() && exit->ok()) << worker->error();
    }
    const nlohmann::json pulled = Ask({"pull", absl::StrCat("--out=", directory_ / "weights")});
    return pulled.is_object() ? pulled["weights_crc32c"].get<std::string>() : "none";
  }
  Process& server(int shard) { return *servers_running_[shard]; }

  std::vector<std::unique_ptr<Process>> workers;

 private:
  const int servers_;
  const TempDir directory_;
  std::vector<std::string> addresses_;
  std::vector<std::unique_ptr<Process>> servers_running_;
};

// The small job with room for τ up to 4.
std::string RoomyJob(uint64_t steps) {
  return absl::StrReplaceAll(
      SmallJob(SharedData()),
      {{"steps: 10", absl::StrCat("steps: ", steps)},
       {"lease_seconds: 3", "lease_seconds: 3 retain: 6 checkpoint_every: 10"}});
}

// Sets τ to 3 from version 20 on, before anybody computes.
void SetTau(Cluster& cluster) {
  cluster.AwaitWaitingForWorkers();
  std::string said;
  const nlohmann::json set = cluster.Ask({"set", "training.tau=3", "--from=20"}, &said);
  ASSERT_TRUE(set.is_object()) << said;
  EXPECT_EQ(set["from_version"], 20);
  EXPECT_EQ(set["before"], "1");
}

TEST(Operate, WhatIsSetGivesTheSameBitsForAnyNumberOfProcessesAndAfterAKill) {
  Cluster plain(1, RoomyJob(40));
  plain.StartWorker("plain-0");
  const std::string without = plain.FinalWeights();

  Cluster one(1, RoomyJob(40));
  SetTau(one);
  one.StartWorker("one-0");
  const std::string crc = one.FinalWeights();
  EXPECT_NE(crc, without) << "τ changes the weights";
  EXPECT_EQ(one.Ask({"status"})["tau"], 3);

  Cluster many(2, RoomyJob(40));
  SetTau(many);
  for (int i = 0; i < 3; ++i) many.StartWorker(absl::StrCat("many-", i));
  many.AwaitVersion(22);
  // Back to a checkpoint that may be older than the change or younger.
  many.server(1).Kill();
  many.StartServer(1);
  many.AwaitVersion(30);
  many.server(0).Kill();
  many.StartServer(0);
  EXPECT_EQ(many.FinalWeights(), crc);
}

// Simulated workers: what is computed does not matter here, and steps last.
constexpr char kSlow[] = "--simulate=attack=2ms,clean=2ms,adversarial=2ms,parameters=1K";

TEST(Operate, ADrainedWorkerEndsWith0AndTheRunGoesOnWithoutIt) {
  Cluster cluster(1, RoomyJob(100'000));
  cluster.StartWorker("stays", {kSlow});
  cluster.StartWorker("leaves", {kSlow});
  cluster.AwaitWorkers(2);
  nlohmann::json drained;
  std::string said;
  while (!drained.is_object() && cluster.workers[1]->running()) {
    drained = cluster.Ask({"drain", "leaves"}, &said);
  }
  ASSERT_TRUE(drained.is_object()) << said;
  EXPECT_EQ(drained["workers_left"], 1);
  const auto exit = cluster.workers[1]->Wait(kPatience);
  ASSERT_TRUE(exit.ok()) << exit.status();
  EXPECT_TRUE(exit->ok()) << exit->ToString() << cluster.workers[1]->error();
  cluster.AwaitVersion(cluster.Ask({"status"})["version"].get<uint64_t>() + 5);
  EXPECT_TRUE(cluster.Ask({"drain", "leaves"}, &said).is_null());
  EXPECT_THAT(said, HasSubstr("there is no worker leaves; there are stays"));
}

// As in a pod that would be started again.
TEST(Operate, ADrainedWorkerThatIsToWaitIsNoMemberAndEndsWith0WhenItIsStopped) {
  Cluster cluster(1, RoomyJob(100'000));
  cluster.StartWorker("stays", {kSlow});
  cluster.StartWorker("leaves", {kSlow, "--when_done=wait"});
  cluster.AwaitWorkers(2);
  nlohmann::json drained;
  while (!drained.is_object() && cluster.workers[1]->running()) {
    drained = cluster.Ask({"drain", "leaves"});
  }
  std::string names = "leaves";
  while (absl::StrContains(names, "leaves")) names = cluster.Ask({"workers"}).dump();
  cluster.workers[1]->Signal(SIGTERM);
  const auto exit = cluster.workers[1]->Wait(kPatience);
  ASSERT_TRUE(exit.ok()) << exit.status();
  EXPECT_TRUE(exit->ok()) << exit->ToString() << cluster.workers[1]->error();
}

TEST(Operate, WhatIsSetHoldsWithoutSyncToo) {
  for (const char* consistency : {"SSP", "ASYNC"}) {
    Cluster cluster(
        2, absl::StrReplaceAll(RoomyJob(40),
                               {{"tau: 1", absl::StrCat("tau: 1 consistency: ", consistency)}}));
    SetTau(cluster);
    for (int i = 0; i < 2; ++i) cluster.StartWorker(absl::StrCat("worker-", i));
    EXPECT_NE(cluster.FinalWeights(), "none") << consistency;
    EXPECT_EQ(cluster.Ask({"status"})["tau"], 3) << consistency;
    // An attack aims at τ and cannot know what comes before its update; but some aimed at three.
    EXPECT_GE(cluster.Ask({"staleness"})["attack_staleness"]["max"], 3) << consistency;
  }
}

TEST(Operate, TheDoctorFindsNothingInARunThatTrainsAndNamesAShardThatIsGone) {
  Cluster cluster(2, RoomyJob(100'000));
  cluster.StartWorker("only", {kSlow});
  cluster.AwaitVersion(1);
  std::string said;
  const nlohmann::json healthy = cluster.Ask({"doctor"}, &said);
  ASSERT_TRUE(healthy.is_object()) << said;
  EXPECT_EQ(healthy["wrong"], 0) << healthy;
  EXPECT_GE(healthy["findings"].size(), 7U);
  cluster.server(1).Signal(SIGSTOP);
  EXPECT_TRUE(cluster.Ask({"doctor", "--timeout=0.5"}, &said).is_null());
  EXPECT_THAT(said, HasSubstr("is wrong"));
  cluster.server(1).Signal(SIGCONT);
}

// As a node's drain does, or a queue that takes its machines back.
TEST(Operate, ARunThatIsStoppedAllAtOnceLosesNoVersion) {
  Cluster cluster(2, RoomyJob(100'000));
  cluster.StartWorker("first", {kSlow});
  cluster.StartWorker("second", {kSlow});
  cluster.AwaitWorkers(2);
  cluster.AwaitVersion(15);
  const uint64_t seen = cluster.Ask({"status"})["version"];
  // A shard before shard 0.
  for (Process* const process : {&cluster.server(1), cluster.workers[0].get(), &cluster.server(0),
                                 cluster.workers[1].get()}) {
    process->Signal(SIGTERM);
  }
  for (Process* const process : {&cluster.server(1), cluster.workers[0].get(), &cluster.server(0),
                                 cluster.workers[1].get()}) {
    const auto exit = process->Wait(absl::Seconds(30));  // a pod's grace
    ASSERT_TRUE(exit.ok()) << exit.status() << process->error();
    EXPECT_EQ(exit->code, 143) << exit->ToString() << process->error();
  }
  cluster.StartServer(0);
  cluster.StartServer(1);
  cluster.AwaitVersion(seen);
  const nlohmann::json status = cluster.Ask({"status"});
  EXPECT_GE(status["restored_version"], seen);
  EXPECT_EQ(status["restored_version"], status["version"]);
}

TEST(Operate, AShardThatIsStoppedAloneSavesFirst) {
  Cluster cluster(2, RoomyJob(100'000));
  cluster.StartWorker("only", {kSlow});
  cluster.AwaitVersion(15);
  const uint64_t seen = cluster.Ask({"status"})["version"];
  cluster.server(1).Signal(SIGTERM);
  const auto exit = cluster.server(1).Wait(absl::Seconds(30));
  ASSERT_TRUE(exit.ok()) << exit.status();
  EXPECT_EQ(exit->code, 143);
  cluster.StartServer(1);
  cluster.AwaitVersion(seen);
  EXPECT_GE(cluster.Ask({"status"})["restored_version"], seen);
}

}  // namespace
}  // namespace conadv
