// SPDX-License-Identifier: Apache-2.0
#include "worker/session/session.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "client/run/coordinator_client.h"
#include "tests/client/run/fake_coordinator.h"
#include "tests/support/manual_timer.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Keeps the events, and wakes who waits for one.
class Listener final : public SessionListener {
 public:
  void OnWelcome(const SessionWelcome& welcome) override {
    Note(absl::StrCat("welcome ", welcome.member.value(), " ", absl::FormatDuration(welcome.lease),
                      " ", welcome.steps));
  }
  void OnOffer() override { Note("offer"); }
  void OnGrant(std::vector<Unit> units) override {
    for (const Unit& unit : units) Note("grant " + unit.ToString());
  }
  void OnEvaluate(Version version, bool robust) override {
    Note(absl::StrCat("evaluate ", version.value(), robust ? " robust" : ""));
  }
  void OnFinished() override { Note("finished"); }
  void OnClosed(const absl::Status& status) override {
    MutexLock lock(&mutex_);
    closed_ = status;
    changed_.NotifyAll();
  }
  void Note(std::string event) {
    MutexLock lock(&mutex_);
    events_.push_back(std::move(event));
    changed_.NotifyAll();
  }
  std::vector<std::string> AwaitEvents(size_t count) {
    MutexLock lock(&mutex_);
    while (events_.size() < count && !closed_.has_value()) changed_.Wait(&mutex_);
    return events_;
  }
  absl::Status AwaitClosed() {
    MutexLock lock(&mutex_);
    while (!closed_.has_value()) changed_.Wait(&mutex_);
    return *closed_;
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  std::vector<std::string> events_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> closed_ ABSL_GUARDED_BY(mutex_);
};

class SessionTest : public ::testing::Test {
 protected:
  SessionTest() {
    channel_ = grpc::CreateChannel(service_.address(), grpc::InsecureChannelCredentials());
  }

  std::shared_ptr<Session> Start() {
    SessionHello hello;
    hello.name = "worker-1";
    hello.threads = 2;
    return StartSession(channel_, hello, &listener_, &timer_, &statistics_);
  }

  FakeCoordinator service_;
  std::shared_ptr<grpc::Channel> channel_;
  Listener listener_;
  ManualTimer timer_;
  WorkerStatistics statistics_;
};

v1::JoinResponse Welcome() {
  v1::JoinResponse response;
  response.mutable_welcome()->set_worker_id(5);
  response.mutable_welcome()->set_lease_seconds(9);
  response.mutable_welcome()->set_steps(40);
  return response;
}

TEST_F(SessionTest, WhatTheCoordinatorSaysComesInOrder) {
  service_.join = [](JoinStream* stream) {
    v1::JoinRequest request;
    EXPECT_TRUE(stream->Read(&request));
    EXPECT_EQ(request.hello().name(), "worker-1");
    EXPECT_EQ(request.hello().threads(), 2);
    EXPECT_EQ(request.hello().role(), v1::WORKER);
    stream->Write(Welcome());
    v1::JoinResponse response;
    response.set_offer(true);
    stream->Write(response);
    v1::Unit* unit = response.mutable_grant()->add_units();
    unit->set_step(3);
    unit->set_slot(1);
    stream->Write(response);
    response.mutable_evaluate()->set_version(8);
    response.mutable_evaluate()->set_robust(true);
    stream->Write(response);
    response.set_finished(true);
    stream->Write(response);
    return grpc::Status(grpc::StatusCode::ABORTED, "the run has failed");
  };
  Start();
  EXPECT_TRUE(absl::IsAborted(listener_.AwaitClosed()));
  EXPECT_THAT(listener_.AwaitEvents(5),
              ElementsAre("welcome 5 9s 40", "offer", "grant step 3 slot 1", "evaluate 8 robust",
                          "finished"));
}

TEST_F(SessionTest, NothingSaidIsLostAndLeaveIsTheLast) {
  std::vector<uint64_t> done;
  std::string order;
  service_.join = [&](JoinStream* stream) {
    stream->Write(Welcome());
    v1::JoinRequest request;
    while (stream->Read(&request)) {
      for (const v1::Unit& unit : request.done().units()) done.push_back(unit.step());
      if (request.has_offered()) order += "offered ";
      if (request.has_failed()) order += "failed:" + request.failed().reason() + " ";
      if (request.has_leave()) order += "leave";
    }
    return grpc::Status::OK;
  };
  const auto session = Start();
  session->Offered();
  std::vector<uint64_t> sent;
  for (uint64_t step = 0; step < 500; ++step) {
    session->Done({Step(step), Slot(0)});
    sent.push_back(step);
  }
  session->Failed({Step(1), Slot(1)}, "poisoned");
  session->Leave();
  session->Offered();  // too late
  EXPECT_TRUE(listener_.AwaitClosed().ok());
  EXPECT_EQ(done, sent);
  EXPECT_EQ(order, "offered failed:poisoned leave");
}

TEST_F(SessionTest, AHeartbeatCarriesTheTotals) {
  std::vector<uint64_t> units_done;
  service_.join = [&](JoinStream* stream) {
    stream->Write(Welcome());
    v1::JoinRequest request;
    while (stream->Read(&request)) {
      if (request.has_heartbeat()) units_done.push_back(request.heartbeat().stats().units_done());
    }
    return grpc::Status::OK;
  };
  const auto session = Start();
  listener_.AwaitEvents(1);
  // The welcome's event comes just before its timer; a leave would stop both.
  timer_.AwaitPending();
  timer_.RunNext();
  statistics_.UnitDone();
  timer_.RunNext();
  session->Leave();
  EXPECT_TRUE(listener_.AwaitClosed().ok());
  EXPECT_THAT(units_done, ElementsAre(0, 1));
}

TEST_F(SessionTest, CancelClosesTheStream) {
  service_.join = [](JoinStream* stream) {
    stream->Write(Welcome());
    v1::JoinRequest request;
    while (stream->Read(&request)) {
    }
    return grpc::Status::OK;
  };
  const auto session = Start();
  listener_.AwaitEvents(1);
  session->Cancel();
  EXPECT_TRUE(absl::IsCancelled(listener_.AwaitClosed()));
  session->Done({Step(0), Slot(0)});  // comes to nothing
}

}  // namespace
}  // namespace conadv
