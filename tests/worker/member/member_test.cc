// SPDX-License-Identifier: Apache-2.0
#include "worker/member/member.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <gtest/gtest.h>

#include <atomic>

#include "tests/client/run/fake_coordinator.h"
#include "tests/support/manual_timer.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

// Counts what it is told; fails or drains when the test's function does.
class FakeRole final : public MemberRole {
 public:
  SessionHello Hello() const override { return {}; }
  void SetEvents(RoleEvents events) override { events_ = std::move(events); }
  void Begin(std::shared_ptr<Session>, const SessionWelcome&) override { ++sessions; }
  void Grant(const std::vector<Unit>& units) override {
    grants += static_cast<int>(units.size());
    if (on_grant) on_grant(events_);
  }
  void Evaluate(Version, bool) override {}
  void Drain() override {
    ++drains;
    events_.drained();
  }
  void Drop() override { ++drops; }
  void Stop() override {}
  uint64_t progress() const override { return progress_made; }

  std::function<void(const RoleEvents&)> on_grant;
  std::atomic<int> sessions{0}, grants{0}, drains{0}, drops{0};
  std::atomic<uint64_t> progress_made{0};

 private:
  RoleEvents events_;
};

class MemberTest : public ::testing::Test {
 protected:
  MemberTest() {
    coordinator_.get_job = [](v1::GetJobResponse* response) {
      response->mutable_job()->mutable_model()->set_builtin("mlp");
      response->mutable_job()->mutable_dataset()->set_path("/data");
      response->mutable_job()->mutable_optimizer()->mutable_sgd();
      response->add_servers("a:1");
      return grpc::Status::OK;
    };
  }

  absl::Status Run(absl::Duration connect_timeout = absl::Seconds(30)) {
    CoordinatorClient client(
        grpc::CreateChannel(coordinator_.address(), grpc::InsecureChannelCredentials()),
        coordinator_.address());
    const auto run = client.GetRun(absl::Seconds(30), [] { return false; });
    if (!run.ok()) return run.status();
    MemberOptions options;
    options.connect_timeout = connect_timeout;
    Member member(
        *run, &client, &role_, &timer_, &statistics_, [this] { return stop_.load(); }, options);
    return member.Run();
  }

  static void Welcome(JoinStream* stream) {
    v1::JoinRequest hello;
    stream->Read(&hello);
    v1::JoinResponse response;
    response.mutable_welcome()->set_lease_seconds(10);
    stream->Write(response);
  }
  static void Grant(JoinStream* stream) {
    v1::JoinResponse response;
    response.mutable_grant()->add_units()->set_step(1);
    stream->Write(response);
  }
  static void Finish(JoinStream* stream) {
    v1::JoinResponse response;
    response.set_finished(true);
    stream->Write(response);
  }
  // Whether the member left, rather than broke off.
  static bool AwaitLeave(JoinStream* stream) {
    v1::JoinRequest request;
    while (stream->Read(&request)) {
      if (request.has_leave()) return true;
    }
    return false;
  }

  FakeCoordinator coordinator_;
  FakeRole role_;
  ThreadTimer timer_;
  WorkerStatistics statistics_;
  std::atomic<bool> stop_{false};
};

TEST_F(MemberTest, AFinishedRunIsLeftWithoutAnError) {
  bool left = false;
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    Grant(stream);
    Finish(stream);
    left = AwaitLeave(stream);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_TRUE(left);
  EXPECT_EQ(role_.grants, 1);
  EXPECT_EQ(role_.drops, 1);
}

TEST_F(MemberTest, ABrokenSessionIsJoinedAnew) {
  int joins = 0;
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    if (++joins < 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
    Finish(stream);
    AwaitLeave(stream);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_EQ(joins, 3);
  EXPECT_EQ(role_.drops, 3);
}

TEST_F(MemberTest, ARoleThatLostAServerGetsANewSession) {
  int joins = 0;
  role_.on_grant = [](const RoleEvents& events) {
    events.broken(absl::AbortedError("server a:1 was restarted"));
  };
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    if (++joins == 1) {
      Grant(stream);
    } else {
      Finish(stream);
    }
    EXPECT_EQ(AwaitLeave(stream), joins == 2);
    return grpc::Status::OK;
  };
  const absl::Status status = Run();
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(joins, 2);
}

TEST_F(MemberTest, WhatARunThatHasFailedSaysIsFinal) {
  int joins = 0;
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    ++joins;
    return grpc::Status(grpc::StatusCode::ABORTED, "step 1 slot 0 failed twice");
  };
  const absl::Status status = Run();
  EXPECT_THAT(status.message(), HasSubstr("step 1 slot 0 failed twice"));
  EXPECT_THAT(status.message(), HasSubstr(coordinator_.address()));
  EXPECT_EQ(joins, 1);
}

TEST_F(MemberTest, WithoutProgressTheBudgetEnds) {
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
  };
  const absl::Status status = Run(absl::Milliseconds(400));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(status.message(), HasSubstr("restarting"));
  EXPECT_GT(role_.sessions, 1);
}

TEST_F(MemberTest, AnotherJobAtTheSameAddressIsNotJoined) {
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "restarting");
  };
  const auto get_job = coordinator_.get_job;
  int calls = 0;
  coordinator_.get_job = [&](v1::GetJobResponse* response) {
    if (++calls > 1) response->mutable_job()->set_seed(2);
    return get_job(response);
  };
  EXPECT_TRUE(absl::IsFailedPrecondition(Run()));
  EXPECT_EQ(role_.sessions, 1);
}

TEST_F(MemberTest, ToldToStopItDrainsAndLeaves) {
  bool left = false;
  coordinator_.join = [&](JoinStream* stream) {
    Welcome(stream);
    Grant(stream);
    left = AwaitLeave(stream);
    return grpc::Status::OK;
  };
  role_.on_grant = [this](const RoleEvents&) { stop_ = true; };
  EXPECT_EQ(Run(), absl::OkStatus());
  EXPECT_TRUE(left);
  EXPECT_EQ(role_.drains, 1);
}

}  // namespace
}  // namespace conadv
