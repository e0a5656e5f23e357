// SPDX-License-Identifier: Apache-2.0
// Peers that begin to pull and take nothing, or to push and send nothing.
#include <gmock/gmock.h>
#include <grpcpp/client_context.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "common/wire/channel.h"
#include "common/wire/chunk.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/server/rpc/tiny_server.h"
#include "tests/soak/wire_worker.h"

namespace conadv {
namespace {

// A connection of which gRPC buffers 64 KiB and no more: left to itself it grows the window to as
// much as the network seems to carry, on loopback many MiB, and so takes for a reader that does
// not.
std::shared_ptr<grpc::Channel> SmallWindow(const std::string& address) {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  return grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments);
}

// A pull of a version of which nothing but the first chunk is read.
class StalledPull {
 public:
  StalledPull(const std::string& address, uint64_t version)
      : stub_(v1::ParameterServer::NewStub(SmallWindow(address))) {
    context_.set_wait_for_ready(true);
    v1::PullRequest request;
    request.set_version(version);
    stream_ = stub_->Pull(&context_, request);
    v1::PullResponse chunk;
    EXPECT_TRUE(stream_->Read(&chunk));
  }
  ~StalledPull() {
    context_.TryCancel();
    Finish();
  }
  // Takes what is still on its way, and the end.
  grpc::StatusCode Finish() {
    if (stream_ == nullptr) return grpc::StatusCode::OK;
    v1::PullResponse chunk;
    while (stream_->Read(&chunk)) {
    }
    const grpc::StatusCode code = stream_->Finish().error_code();
    stream_.reset();
    return code;
  }

 private:
  const std::unique_ptr<v1::ParameterServer::Stub> stub_;
  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::PullResponse>> stream_;
};

// A push of which nothing but the first half comes.
class StalledPush {
 public:
  StalledPush(const std::string& address, const WireWorker& worker, size_t elements)
      : stub_(v1::ParameterServer::NewStub(MakeChannel(address))) {
    context_.set_wait_for_ready(true);
    stream_ = stub_->Push(&context_, &response_);
    v1::PushRequest chunk;
    v1::Unit unit;
    unit.set_step(1);
    *chunk.mutable_header() = worker.HeaderOf(unit, 1);
    const std::vector<float> half(elements, 1.0F);
    chunk.set_payload(half.data(), half.size() * sizeof(float));
    EXPECT_TRUE(stream_->Write(chunk));
  }
  ~StalledPush() {
    context_.TryCancel();
    stream_->Finish();
  }

 private:
  const std::unique_ptr<v1::ParameterServer::Stub> stub_;
  grpc::ClientContext context_;
  v1::PushResponse response_;
  std::unique_ptr<grpc::ClientWriter<v1::PushRequest>> stream_;
};

// A server that has little patience, and one worker.
class SlowPeers : public ::testing::Test {
 protected:
  void Start(const TinyRun& run) {
    ReaderOptions readers;
    // Long enough for all slow peers of a test to be there before the first is evicted.
    readers.patience = absl::Seconds(1);
    server_ = StartServer(run, readers);
    ASSERT_NE(server_, nullptr);
    worker_ = std::make_unique<WireWorker>(server_->address(), "worker", run);
  }
  // Until the server says that the run is over.
  void Run(const TinyRun& run) {
    std::thread thread([this] { EXPECT_TRUE(worker_->Run().ok()); });
    const absl::Status status = server_->Run([] { return false; });
    thread.join();
    EXPECT_TRUE(status.ok()) << status;
    EXPECT_EQ(worker_->report().units, run.steps);
  }

  std::unique_ptr<Server> server_;
  std::unique_ptr<WireWorker> worker_;
};

TEST_F(SlowPeers, ThatPushDoNotHoldUpTheRun) {
  const TinyRun run{v1::Training::SYNC, 1, 8};
  Start(run);
  std::vector<std::unique_ptr<StalledPush>> stalled;
  // After the first step, more of them than there is room for.
  worker_->done = [&] {
    for (int i = 0; i < 40 && stalled.size() < 40; ++i) {
      stalled.push_back(std::make_unique<StalledPush>(server_->address(), *worker_, 100));
    }
  };
  Run(run);
  EXPECT_GE(worker_->report().refusals, 1U);
}

TEST_F(SlowPeers, ThatPullNeitherFillTheMemoryNorHoldUpTheRun) {
  // Far more than the sockets buffer: 16 MiB a version.
  const TinyRun run{v1::Training::SYNC, 1, 8, 2, 4'000'000};
  Start(run);
  std::vector<std::unique_ptr<StalledPull>> stalled;
  uint64_t over_limit = 0;
  // One more after every step, each of another version: more than there is room for.
  worker_->done = [&] {
    const Shard::Memory memory = server_->memory();
    over_limit += memory.now_bytes > memory.limit_bytes ? 1 : 0;
    if (stalled.size() < ReaderOptions().most_versions) {
      stalled.push_back(std::make_unique<StalledPull>(server_->address(), stalled.size() + 1));
    }
  };
  Run(run);
  EXPECT_EQ(over_limit, 0U);
  ASSERT_EQ(stalled.size(), ReaderOptions().most_versions);
  // Those that took nothing for the longest time made room for the others.
  size_t evicted = 0;
  for (const auto& pull : stalled) {
    evicted += pull->Finish() == grpc::StatusCode::CANCELLED ? 1 : 0;
  }
  EXPECT_GE(evicted, stalled.size() - ReaderOptions().most_for_guests);
}

}  // namespace
}  // namespace conadv
