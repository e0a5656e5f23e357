// SPDX-License-Identifier: Apache-2.0
// Calls that are begun and say nothing.
#include <grpcpp/client_context.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <thread>

#include "common/wire/channel.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/rpc/stream/first_messages.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/support/fake_clock.h"

namespace conadv {
namespace {

TEST(FirstMessagesTest, ACallIsEndedOnceItHasSaidNothingForItsPatience) {
  FakeClock clock;
  FirstMessages calls(&clock, absl::Seconds(20));
  int silent_ended = 0;
  int spoken_ended = 0;
  calls.Begin([&] { ++silent_ended; });
  const uint64_t spoken = calls.Begin([&] { ++spoken_ended; });
  calls.End(spoken);
  clock.now += absl::Milliseconds(19'999);
  calls.EndSilent();
  EXPECT_EQ(silent_ended, 0);
  clock.now += absl::Milliseconds(1);
  calls.EndSilent();
  calls.EndSilent();
  EXPECT_EQ(silent_ended, 1);
  EXPECT_EQ(spoken_ended, 0);
}

class SilentCallsTest : public testing::Test {
 protected:
  void Start(absl::Duration patience) {
    LaunchOptions options;
    options.job = JobOf(TinyRun());
    options.listen = "127.0.0.1:0";
    options.first_message_patience = patience;
    auto server = Server::Start(std::move(options));
    ASSERT_TRUE(server.ok()) << server.status();
    server_ = *std::move(server);
    channel_ = MakeChannel(server_->address());
    run_ = std::thread([this] { server_->Run([this] { return stopped_.load(); }).IgnoreError(); });
  }
  ~SilentCallsTest() override {
    stopped_ = true;
    if (run_.joinable()) run_.join();
  }

  std::shared_ptr<grpc::Channel> channel_;
  grpc::ClientContext context_;

 private:
  std::unique_ptr<Server> server_;
  std::atomic<bool> stopped_{false};
  std::thread run_;
};

TEST_F(SilentCallsTest, AJoinWithoutAHelloIsEndedAndToldWhy) {
  Start(absl::Milliseconds(1));
  const auto stub = v1::Coordinator::NewStub(channel_);
  const auto stream = stub->Join(&context_);
  v1::JoinResponse response;
  EXPECT_FALSE(stream->Read(&response));
  const grpc::Status status = stream->Finish();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::DEADLINE_EXCEEDED);
  EXPECT_EQ(status.error_message(), "join: nothing was said within 1ms");
}

TEST_F(SilentCallsTest, APushWithoutAHeaderIsEnded) {
  Start(absl::Milliseconds(1));
  const auto stub = v1::ParameterServer::NewStub(channel_);
  v1::PushResponse response;
  const auto stream = stub->Push(&context_, &response);
  EXPECT_EQ(stream->Finish().error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace conadv
