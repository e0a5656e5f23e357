// SPDX-License-Identifier: Apache-2.0
// Runs of simulated workers with a real server, over real connections.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "common/plan/simulated_plan.h"
#include "common/tensor/crc32c.h"
#include "common/wire/channel.h"
#include "server/process/server.h"
#include "tests/server/rpc/counting_run.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/simulate/crew.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kSteps = 10;
constexpr Simulation kAtOnce{absl::ZeroDuration(), absl::ZeroDuration(), absl::ZeroDuration(), 3000,
                             2};

v1::Job SomeJob(v1::Training::Algorithm algorithm) {
  TinyRun run;
  run.slots = 4;
  run.steps = kSteps;
  v1::Job job = JobOf(run);
  job.mutable_training()->set_algorithm(algorithm);
  if (algorithm == v1::Training::CONADV) job.mutable_training()->set_tau(2);
  return job;
}

std::unique_ptr<Server> Start(const v1::Job& job) {
  LaunchOptions options;
  options.job = job;
  options.listen = "127.0.0.1:0";
  options.serve_when_done = true;
  auto server = Server::Start(std::move(options));
  EXPECT_TRUE(server.ok()) << server.status();
  return *std::move(server);
}

// The final weights of a whole run.
uint32_t Crc(v1::Training::Algorithm algorithm, int workers, bool shared_memory = true) {
  const std::unique_ptr<Server> server = Start(SomeJob(algorithm));
  std::atomic<bool> stop{false};
  std::thread serving(
      [&] { EXPECT_EQ(server->Run([&] { return stop.load(); }), absl::OkStatus()); });
  EXPECT_EQ(RunCrew({server->address(), kAtOnce, workers, shared_memory}, [] { return false; }),
            absl::OkStatus());
  v1::PullRequest request;
  request.set_version(kSteps);
  const auto stub = v1::ParameterServer::NewStub(MakeChannel(server->address()));
  const auto pulled = PullThrough(*stub, request);
  EXPECT_TRUE(pulled.ok()) << pulled.status();
  stop = true;
  serving.join();
  const Layout layout = *Layout::Create(SimulatedTensors(kAtOnce.parameters), 1);
  return WeightsCrc32c(layout, pulled->values);
}

TEST(SimulatedRun, EndsWithTheSameWeightsForAnyNumberOfWorkersAndEveryTransport) {
  const uint32_t vanilla = Crc(v1::Training::VANILLA, 1);
  EXPECT_EQ(Crc(v1::Training::VANILLA, 3), vanilla);
  const uint32_t conadv = Crc(v1::Training::CONADV, 1);
  EXPECT_EQ(Crc(v1::Training::CONADV, 3), conadv);
  EXPECT_EQ(Crc(v1::Training::CONADV, 3, /*shared_memory=*/false), conadv);
  EXPECT_NE(conadv, vanilla);
}

TEST(SimulatedRun, RefusesWorkersOfAnotherModelOrNoSimulation) {
  const std::unique_ptr<Server> server = Start(SomeJob(v1::Training::VANILLA));
  std::atomic<bool> stop{false};
  std::thread serving(
      [&] { EXPECT_EQ(server->Run([&] { return stop.load(); }), absl::OkStatus()); });
  EXPECT_EQ(RunCrew({server->address(), kAtOnce}, [] { return false; }), absl::OkStatus());
  Simulation other = kAtOnce;
  other.parameters = 3001;
  EXPECT_THAT(std::string(RunCrew({server->address(), other}, [] { return false; }).message()),
              HasSubstr("start every worker with the same --simulate"));
  stop = true;
  serving.join();
}

}  // namespace
}  // namespace conadv
