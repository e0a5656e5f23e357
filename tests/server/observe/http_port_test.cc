// SPDX-License-Identifier: Apache-2.0
// A server looked at through its HTTP port's routes, while its run begins, goes on and ends.
#include "server/observe/http_port.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>

#include "server/observe/api.h"
#include "server/observe/metrics_route.h"
#include "server/process/server.h"
#include "tests/soak/tiny_run.h"
#include "tests/soak/wire_worker.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Says nothing to anybody.
class SilentSink final : public MemberSink {
 public:
  void Send(const MemberMessage&) override {}
  void Close(const absl::Status&) override {}
};

class ObservedServer : public ::testing::Test {
 protected:
  ObservedServer() : routes_({}), metrics_(&window_, &goodput_, &routes_) {
    AddProbeRoutes(&window_, &routes_);
    AddApiRoutes(&window_, &routes_);
  }
  void Start(uint64_t steps) {
    run_.steps = steps;
    LaunchOptions options;
    options.job = JobOf(run_);
    options.listen = "127.0.0.1:0";
    options.window = &window_;
    options.checkpoint_dir = checkpoint_dir_;
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
  }
  // All steps, by one worker.
  void Train() {
    WireWorker worker(server_->address(), "worker", run_);
    std::thread thread([&worker] { EXPECT_TRUE(worker.Run().ok()); });
    const absl::Status status = server_->Run([] { return false; });
    EXPECT_TRUE(status.ok()) << status;
    thread.join();
  }
  HttpResponse Get(const std::string& target, const std::string& accept = "") {
    HttpRequest request;
    request.method = "GET";
    request.path = target.substr(0, target.find('?'));
    if (request.path.size() < target.size()) request.query = target.substr(request.path.size() + 1);
    request.accept = accept;
    return routes_.Respond(request);
  }
  nlohmann::json Json(const std::string& target) {
    const HttpResponse response = Get(target);
    EXPECT_EQ(response.status, 200) << target << ": " << response.body;
    EXPECT_EQ(response.type, "application/json");
    return nlohmann::json::parse(response.body);
  }

  SilentSink sink_;  // outlives the server
  TinyRun run_;
  std::string checkpoint_dir_;
  ServerWindow window_;
  GoodputKeeper goodput_{&window_, &FileSystem::Real(), &Clock::Real(), absl::ZeroDuration()};
  HttpRoutes routes_;
  MetricsRoute metrics_;
  std::unique_ptr<Server> server_;
};

TEST_F(ObservedServer, IsAliveAtOnceAndReadyWhenItHasWeights) {
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/api/v1/status").status, 503) << "there is no server yet";
  EXPECT_EQ(Get("/metrics").status, 503);
  Start(/*steps=*/3);
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Json("/api/v1/status")["version"], "0");
  EXPECT_THAT(Get("/metrics").body, HasSubstr("\nconadv_ready 0\n"));
  Train();
  EXPECT_EQ(Get("/readyz").status, 200);
  EXPECT_THAT(Get("/readyz").body, HasSubstr("serves version 3 of lineage "));
  EXPECT_EQ(Get("/healthz").body, "alive\n");
  server_.reset();
  EXPECT_EQ(Get("/readyz").status, 503);
  EXPECT_EQ(Get("/readyz").body, "the run is over\n");
  EXPECT_EQ(Get("/healthz").status, 200);
}

TEST_F(ObservedServer, JsonIsWhatTheInspectorAnswers) {
  Start(/*steps=*/3);
  Train();
  const nlohmann::json status = Json("/api/v1/status");
  EXPECT_EQ(status["version"], "3");
  EXPECT_EQ(status["phase"], "FINISHED");
  EXPECT_EQ(Json("/api/v1/staleness")["workers"][0]["name"], "worker");
  EXPECT_TRUE(Json("/api/v1/workers")["members"].is_array());
  EXPECT_EQ(Json("/api/v1/snapshots")["snapshots"].back()["version"], "3");
  EXPECT_EQ(Json("/api/v1/checkpoints")["directory"], "");
}

TEST_F(ObservedServer, MetricsRecordsComeInPagesOfOneLineage) {
  Start(kMostMetricsRecords + 20);
  Train();
  const nlohmann::json first = Json("/api/v1/metrics?after=10");
  ASSERT_EQ(first["records"].size(), kMostMetricsRecords);
  EXPECT_EQ(first["records"][0]["index"], "10");
  EXPECT_EQ(first["records"][0]["step"]["step"], "10");
  ASSERT_EQ(first["next"], kMostMetricsRecords + 10);
  const std::string lineage = Json("/api/v1/status")["lineage"];
  EXPECT_EQ(first["lineage"], lineage);
  const nlohmann::json rest =
      Json("/api/v1/metrics?after=" + first["next"].dump() + "&lineage=" + lineage);
  EXPECT_EQ(rest["records"].size(), 10U);
  const nlohmann::json end = Json("/api/v1/metrics?after=" + rest["next"].dump());
  EXPECT_EQ(end["records"].size(), 0U);
  EXPECT_EQ(end["next"], rest["next"]);
  EXPECT_EQ(Get("/api/v1/metrics?lineage=1").status, 409) << "another one's records";
  EXPECT_EQ(Get("/api/v1/metrics?after=soon").status, 400);
}

TEST_F(ObservedServer, AThousandWorkersMakeNoMoreSeriesThanOne) {
  Start(/*steps=*/3);
  const auto lines = [this] {
    const std::string text = Get("/metrics").body;
    return std::count(text.begin(), text.end(), '\n');
  };
  const auto join = [&](int worker) {
    window_.With([&](const ServerParts* parts, const std::string&) {
      HelloMessage hello;
      hello.name = "worker-" + std::to_string(worker);
      hello.incarnation = Incarnation(worker + 1);
      hello.plan = PlanOf(run_);
      EXPECT_TRUE(parts->coordinator->Join(hello, &sink_).ok());
      v1::WorkerStats stats;
      stats.set_units_done(2);
      EXPECT_TRUE(parts->stats->Set(hello.name, stats).ok());
      return 0;
    });
  };
  join(0);
  const auto with_one = lines();
  for (int worker = 1; worker < 1000; ++worker) join(worker);
  EXPECT_EQ(lines(), with_one);
  const std::string text = Get("/metrics").body;
  EXPECT_THAT(text, HasSubstr("conadv_workers{state=\"idle\"} 1000\n"));
  EXPECT_THAT(text, ::testing::ContainsRegex("conadv_worker_units_total\\{.*\\} 2000\n"));
  EXPECT_THAT(text, Not(HasSubstr("worker-7")));
}

TEST_F(ObservedServer, AProcessThatFollowsSaysNoLessOfItsGoodput) {
  const TempDir directory;
  checkpoint_dir_ = directory.path();
  Start(/*steps=*/5);
  Train();
  EXPECT_FALSE(goodput_.shown().has_value()) << "nothing is written down yet";
  goodput_.Look();
  const GoodputKeeper::Shown before = goodput_.shown().value();
  EXPECT_EQ(before.sums.made_updates, 5U);
  EXPECT_THAT(Get("/metrics").body,
              HasSubstr("conadv_made_updates_total{process=\"" + before.process + "\"} 5\n"));
  server_.reset();

  GoodputKeeper later(&window_, &FileSystem::Real(), &Clock::Real(), absl::ZeroDuration());
  Start(/*steps=*/5);
  EXPECT_TRUE(server_->Run([] { return false; }).ok());
  later.Look();
  const GoodputKeeper::Shown after = later.shown().value();
  EXPECT_EQ(after.process, before.process);
  EXPECT_EQ(after.sums.lineages, 2U);
  EXPECT_EQ(after.sums.made_updates, 5U);
  EXPECT_EQ(after.sums.lost_updates, 0U);
  EXPECT_GT(after.sums.trained, before.sums.trained);
  EXPECT_EQ(after.sums.lost - before.sums.lost, after.sums.trained - before.sums.trained);
  server_.reset();

  // Another run in the same place is another one's.
  std::filesystem::remove_all(directory / "000000000005");
  std::filesystem::remove_all(directory / "000000000000");
  GoodputKeeper other(&window_, &FileSystem::Real(), &Clock::Real(), absl::ZeroDuration());
  Start(/*steps=*/5);
  Train();
  other.Look();
  EXPECT_NE(other.shown()->process, before.process);
  EXPECT_EQ(other.shown()->sums.made_updates, 5U);
  server_.reset();
}

TEST(HttpPort, OfSeveralAddressesItTakesTheFirstThatCanBeHad) {
  HttpPortOptions options;
  options.listen = {"127.0.0.1:0"};
  const auto first = HttpPort::Start(options);
  ASSERT_TRUE(first.ok()) << first.status();
  const std::string url = (*first)->url();
  const std::string taken = url.substr(7, url.size() - 8);  // http://HOST:PORT/
  options.listen = {taken, "127.0.0.1:0"};
  const auto second = HttpPort::Start(options);
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_NE((*second)->url(), url);
  options.listen = {taken};
  EXPECT_TRUE(absl::IsUnavailable(HttpPort::Start(options).status()));
}

TEST_F(ObservedServer, MetricsComeAsOpenMetricsToWhoeverAsksForThem) {
  Start(/*steps=*/1);
  EXPECT_EQ(Get("/metrics").type, "text/plain; version=0.0.4; charset=utf-8");
  const HttpResponse response =
      Get("/metrics", "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5");
  EXPECT_THAT(response.type, HasSubstr("application/openmetrics-text"));
  EXPECT_THAT(response.body, ::testing::EndsWith("# EOF\n"));
}

}  // namespace
}  // namespace conadv
