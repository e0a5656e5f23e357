// SPDX-License-Identifier: Apache-2.0
// Our membership in a run and the metrics that we follow, against a coordinator made for the test.
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "cli/client/metrics_feed.h"
#include "cli/client/observer.h"
#include "common/thread/mutex.h"
#include "common/wire/channel.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "tests/support/manual_timer.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

// What wake-ups are for: waiting until something holds.
class Bell {
 public:
  void Ring() {
    MutexLock lock(&mutex_);
    ++rings_;
    rung_.NotifyAll();
  }
  template <class Condition>
  bool WaitUntil(Condition holds) {
    const absl::Time until = absl::Now() + absl::Seconds(20);
    while (absl::Now() < until) {
      int seen;
      {
        MutexLock lock(&mutex_);
        seen = rings_;
      }
      if (holds()) return true;
      MutexLock lock(&mutex_);
      if (rings_ == seen) rung_.WaitFor(&mutex_, until - absl::Now());
    }
    return holds();
  }

 private:
  Mutex mutex_;
  CondVar rung_;
  int rings_ ABSL_GUARDED_BY(mutex_) = 0;
};

class FakeCoordinator final : public v1::Coordinator::Service, public v1::Inspector::Service {
 public:
  FakeCoordinator() {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::Coordinator::Service*>(this));
    builder.RegisterService(static_cast<v1::Inspector::Service*>(this));
    server_ = builder.BuildAndStart();
    address = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeCoordinator() override { server_->Shutdown(absl::ToChronoTime(absl::Now())); }

  // Welcomes, says `finished` after the first heartbeat, and ends after the leave.
  grpc::Status Join(grpc::ServerContext*,
                    grpc::ServerReaderWriter<v1::JoinResponse, v1::JoinRequest>* stream) override {
    v1::JoinRequest request;
    while (stream->Read(&request)) {
      v1::JoinResponse response;
      if (request.has_hello()) {
        if (refusal.has_value()) return *refusal;
        if (request.hello().role() == v1::OBSERVER) ++observers;
        response.mutable_welcome()->set_lease_seconds(3);
        stream->Write(response);
      } else if (request.has_heartbeat()) {
        response.set_finished(true);
        stream->Write(response);
      } else if (request.has_leave()) {
        ++leaves;
        return grpc::Status::OK;
      }
    }
    return grpc::Status::OK;
  }

  grpc::Status Status(grpc::ServerContext*, const v1::StatusRequest*,
                      v1::StatusResponse* response) override {
    response->set_final_version(3);
    response->set_lineage(lineage);
    response->set_restored_version(lineage == 1 ? 0 : 1);
    return grpc::Status::OK;
  }

  // Three records, of which each call gives one; the last call ends well.
  grpc::Status WatchMetrics(grpc::ServerContext*, const v1::WatchMetricsRequest* request,
                            grpc::ServerWriter<v1::MetricsRecord>* writer) override {
    if (request->lineage() != lineage) return {grpc::StatusCode::ABORTED, "another lineage"};
    v1::MetricsRecord record;
    record.set_index(request->after());
    record.mutable_step()->set_version(request->after() + 1);
    writer->Write(record);
    if (request->after() == 2) return grpc::Status::OK;
    if (request->after() == 1 && restarts) lineage = 2;
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "gone");
  }

  std::string address;
  std::optional<grpc::Status> refusal;
  std::atomic<int> observers{0};
  std::atomic<int> leaves{0};
  std::atomic<uint64_t> lineage{1};
  bool restarts = false;  // after the second record

 private:
  std::unique_ptr<grpc::Server> server_;
};

TEST(Observer, JoinsBeatsHearsTheEndAndLeaves) {
  Bell bell;
  FakeCoordinator coordinator;
  ManualTimer timer;
  Observer observer(MakeChannel(coordinator.address), &timer, [&] { bell.Ring(); });
  ASSERT_TRUE(bell.WaitUntil([&] { return observer.state().joined; }));
  EXPECT_EQ(coordinator.observers, 1);
  EXPECT_FALSE(observer.state().finished);
  EXPECT_EQ(timer.AwaitPending(), absl::Seconds(1)) << "a third of the lease";
  timer.RunNext();
  ASSERT_TRUE(bell.WaitUntil([&] { return observer.state().finished; }));
  EXPECT_FALSE(observer.state().closed);
  observer.Leave();
  ASSERT_TRUE(bell.WaitUntil([&] { return observer.state().closed; }));
  EXPECT_TRUE(observer.state().status.ok()) << observer.state().status;
  EXPECT_EQ(coordinator.leaves, 1);
}

TEST(Observer, ARefusalEndsIt) {
  Bell bell;
  FakeCoordinator coordinator;
  coordinator.refusal = grpc::Status(grpc::StatusCode::ABORTED, "the run has failed");
  ManualTimer timer;
  Observer observer(MakeChannel(coordinator.address), &timer, [&] { bell.Ring(); });
  ASSERT_TRUE(bell.WaitUntil([&] { return observer.state().closed; }));
  EXPECT_EQ(observer.state().status.message(), "the run has failed");
  EXPECT_FALSE(observer.state().joined);
}

TEST(Observer, CanBeGivenUpAtAnyTime) {
  FakeCoordinator coordinator;
  ThreadTimer timer;
  Observer(MakeChannel(coordinator.address), &timer, [] {});
  Observer(MakeChannel("127.0.0.1:1"), &timer, [] {});
}

TEST(MetricsFeed, TakesUpWhereItBrokeOff) {
  Bell bell;
  FakeCoordinator coordinator;
  MetricsFeed feed(MakeChannel(coordinator.address), [&] { bell.Ring(); });
  std::vector<uint64_t> versions;
  bool begun = false;
  ASSERT_TRUE(bell.WaitUntil([&] {
    for (const MetricsFeed::Item& item : feed.Take()) {
      EXPECT_EQ(feed.final_version(), 3U);
      EXPECT_EQ(item.begins.has_value(), versions.empty() && !begun);
      begun = true;
      if (!item.begins.has_value()) versions.push_back(item.record.step().version());
    }
    return versions.size() >= 3;
  }));
  EXPECT_THAT(versions, ElementsAre(1, 2, 3));
}

TEST(MetricsFeed, BeginsAnewWithAnotherLineage) {
  Bell bell;
  FakeCoordinator coordinator;
  coordinator.restarts = true;
  MetricsFeed feed(MakeChannel(coordinator.address), [&] { bell.Ring(); });
  std::vector<std::string> heard;
  ASSERT_TRUE(bell.WaitUntil([&] {
    for (const MetricsFeed::Item& item : feed.Take()) {
      heard.push_back(item.begins.has_value() ? absl::StrCat("from ", *item.begins)
                                              : absl::StrCat(item.record.step().version()));
    }
    return heard.size() >= 7;
  }));
  EXPECT_THAT(heard, ElementsAre("from 0", "1", "2", "from 1", "1", "2", "3"));
}

}  // namespace
}  // namespace conadv
