// SPDX-License-Identifier: Apache-2.0
// Pulling a whole model from shards that move, and from shards that answer wrongly.
#include "cli/client/weights.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "cli/format/tables.h"
#include "common/plan/plan_proto.h"
#include "common/tensor/safetensors.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Layout TwoShards() {
  return Layout::Create({{"a", {2, 3}, TensorKind::kWeight, Branch::kShared, 0},
                         {"b", {20}, TensorKind::kNoDecay, Branch::kShared, 0}},
                        2)
      .value();
}

// A shard whose weights of version v are all v; `answer` may change what it does.
class FakeShard final : public v1::ParameterServer::Service, public v1::Coordinator::Service {
 public:
  using Answer = std::function<grpc::Status(const v1::PullRequest&, v1::PullResponse*)>;

  explicit FakeShard(uint32_t shard, const std::string& listen = "127.0.0.1:0") : shard_(shard) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(static_cast<v1::ParameterServer::Service*>(this));
    if (shard == 0) builder.RegisterService(static_cast<v1::Coordinator::Service*>(this));
    server_ = builder.BuildAndStart();
    address = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeShard() override { server_->Shutdown(); }

  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest*,
                      v1::GetJobResponse* response) override {
    if (going_away) return grpc::Status(grpc::StatusCode::CANCELLED, "CANCELLED");
    response->mutable_job()->set_name("fake");
    for (const std::string& server : servers) response->add_servers(server);
    return grpc::Status::OK;
  }

  grpc::Status Describe(grpc::ServerContext*, const v1::DescribeRequest*,
                        v1::DescribeResponse* response) override {
    response->set_layout_hash(layout_hash);
    for (const Placement& placement : layout_.placements()) {
      *response->add_entries()->mutable_tensor() = ToProto(placement.tensor);
    }
    return grpc::Status::OK;
  }

  grpc::Status Watch(grpc::ServerContext*, const v1::WatchRequest*,
                     grpc::ServerWriter<v1::WatchResponse>* writer) override {
    if (layout_hash == 0) return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "nothing came");
    writer->Write(v1::WatchResponse());
    return grpc::Status::OK;
  }

  grpc::Status Pull(grpc::ServerContext*, const v1::PullRequest* request,
                    grpc::ServerWriter<v1::PullResponse>* writer) override {
    ++pulls;
    const uint64_t version = request->has_version() ? request->version() : latest.load();
    const size_t size = layout_.arena_size(shard_);
    v1::PullResponse first;
    first.mutable_header()->set_version(version);
    first.mutable_header()->set_size(size);
    first.mutable_header()->set_layout_hash(layout_hash);
    std::vector<float> values(size, static_cast<float>(version));
    const auto bytes = [&](size_t begin, size_t end) {
      return std::string(reinterpret_cast<const char*>(values.data() + begin),
                         (end - begin) * sizeof(float));
    };
    first.set_payload(bytes(0, 5));
    if (answer) {
      const grpc::Status status = answer(*request, &first);
      if (!status.ok()) return status;
    }
    writer->Write(first);
    v1::PullResponse second;
    second.set_offset(5);
    second.set_payload(bytes(5, size));
    writer->Write(second);
    return grpc::Status::OK;
  }

  std::string address;
  std::vector<std::string> servers;
  std::atomic<uint64_t> latest{7};
  std::atomic<int> pulls{0};
  std::atomic<bool> going_away{false};
  uint64_t layout_hash = TwoShards().hash();
  Answer answer;

 private:
  const uint32_t shard_;
  const Layout layout_ = TwoShards();
  std::unique_ptr<grpc::Server> server_;
};

class WeightsTest : public ::testing::Test {
 protected:
  WeightsTest() { zero_.servers = {zero_.address, one_.address}; }

  absl::StatusOr<Weights> Pull() {
    return PullWeights(zero_.address, PullSelector::Latest(), absl::Seconds(20));
  }

  // As conadv pull does. `pause` is called whenever it waits.
  absl::StatusOr<Weights> PatientPull(absl::Duration timeout, std::function<bool()> pause) {
    WaitOptions options;
    options.timeout = timeout;
    options.notes = &notes_;
    options.pause = [pause = std::move(pause)](absl::Duration) { return pause(); };
    ServerWait wait(options);
    return PullWeights(zero_.address, PullSelector::Latest(), &wait);
  }

  FakeShard zero_{0};
  FakeShard one_{1};
  std::ostringstream notes_;
};

TEST_F(WeightsTest, EveryShardGivesTheVersionThatShard0Chose) {
  one_.latest = 9;
  const absl::StatusOr<Weights> weights = Pull();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->version, Version(7));
  EXPECT_THAT(weights->values->span(), ::testing::Each(7.0F));
}

TEST_F(WeightsTest, AVersionThatIsGoneFromAShardIsChosenAgain) {
  one_.answer = [&](const v1::PullRequest& request, v1::PullResponse*) {
    if (request.version() >= 9) return grpc::Status::OK;
    zero_.latest = request.version() + 1;
    return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "evicted");
  };
  const absl::StatusOr<Weights> weights = Pull();
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->version, Version(9));
  EXPECT_THAT(weights->values->span(), ::testing::Each(9.0F));
}

TEST_F(WeightsTest, AnExactVersionThatIsGoneIsAnErrorAtOnce) {
  one_.answer = [](const v1::PullRequest&, v1::PullResponse*) {
    return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "evicted; 8 to 9 are retained");
  };
  const absl::Status status =
      PullWeights(zero_.address, PullSelector::Exactly(Version(3)), absl::Seconds(20)).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(status.message(), AllOf(HasSubstr(one_.address), HasSubstr("8 to 9")));
  EXPECT_EQ(one_.pulls, 1);
}

TEST_F(WeightsTest, AnotherVersionThanAskedForIsRefused) {
  one_.answer = [](const v1::PullRequest&, v1::PullResponse* first) {
    first->mutable_header()->set_version(8);
    return grpc::Status::OK;
  };
  EXPECT_THAT(Pull().status().message(), HasSubstr("asked for version 7, got version 8"));
}

TEST_F(WeightsTest, PartsThatDoNotFitAreRefused) {
  const std::vector<std::function<void(v1::PullResponse*)>> breaks = {
      [](v1::PullResponse* first) { first->clear_header(); },
      [](v1::PullResponse* first) { first->mutable_header()->set_size(1); },
      [](v1::PullResponse* first) { first->set_offset(1); },
      [](v1::PullResponse* first) { first->mutable_payload()->pop_back(); },
      [](v1::PullResponse* first) { first->set_payload(std::string(1 << 16, 'x')); },
      [](v1::PullResponse* first) { first->clear_payload(); },
  };
  for (size_t i = 0; i < breaks.size(); ++i) {
    one_.answer = [&](const v1::PullRequest&, v1::PullResponse* first) {
      breaks[i](first);
      return grpc::Status::OK;
    };
    EXPECT_EQ(Pull().status().code(), absl::StatusCode::kDataLoss) << i;
  }
}

TEST_F(WeightsTest, ALayoutThatWeDoNotWorkOutAlikeIsRefused) {
  zero_.layout_hash ^= 1;
  EXPECT_THAT(Pull().status().message(), HasSubstr("layout"));
  zero_.layout_hash = 0;
  EXPECT_THAT(Pull().status().message(), HasSubstr("training has not begun"));
}

TEST_F(WeightsTest, PullWaitsForAShardThatIsAway) {
  // A port that nobody listens on until somebody waits for it.
  const std::string address = FakeShard(1).address;
  zero_.servers = {zero_.address, address};
  EXPECT_EQ(Pull().status().code(), absl::StatusCode::kUnavailable);
  std::unique_ptr<FakeShard> late;
  const absl::StatusOr<Weights> weights = PatientPull(absl::Seconds(20), [&] {
    if (late == nullptr) late = std::make_unique<FakeShard>(1, address);
    return true;
  });
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_THAT(weights->values->span(), ::testing::Each(7.0F));
  EXPECT_EQ(notes_.str(),
            absl::StrCat("waiting for server-1 at ", address, ": Connection refused\n"));
}

TEST_F(WeightsTest, PullEndsWhenAShardStaysAwayAndWhenItIsInterrupted) {
  const std::string address = FakeShard(1).address;
  zero_.servers = {zero_.address, address};
  const absl::Status late = PatientPull(absl::Milliseconds(300), [] { return true; }).status();
  EXPECT_EQ(late.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(late.message(), AllOf(HasSubstr("server-1 at " + address), HasSubstr("--timeout")));
  EXPECT_TRUE(absl::IsCancelled(PatientPull(absl::Seconds(20), [] { return false; }).status()));
}

TEST_F(WeightsTest, WhatWasPulledBeforeARollBackIsPulledAgain) {
  uint64_t lineage = 1;
  one_.answer = [&](const v1::PullRequest&, v1::PullResponse* first) {
    first->mutable_header()->set_lineage(2);
    return grpc::Status::OK;
  };
  zero_.answer = [&](const v1::PullRequest&, v1::PullResponse* first) {
    first->mutable_header()->set_lineage(lineage);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Pull().status().code(), absl::StatusCode::kUnavailable);
  const absl::StatusOr<Weights> weights = PatientPull(absl::Seconds(20), [&] {
    lineage = 2;
    zero_.latest = 5;
    return true;
  });
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(weights->version, Version(5));
  EXPECT_THAT(weights->values->span(), ::testing::Each(5.0F));
}

TEST_F(WeightsTest, AServerThatGoesAwayAndEndsItsCallsIsWaitedFor) {
  zero_.going_away = true;
  EXPECT_EQ(Pull().status().code(), absl::StatusCode::kUnavailable);
  const absl::StatusOr<Weights> weights = PatientPull(absl::Seconds(20), [&] {
    zero_.going_away = false;
    return true;
  });
  ASSERT_TRUE(weights.ok()) << weights.status();
  EXPECT_EQ(notes_.str(),
            absl::StrCat("waiting for server-0 at ", zero_.address, ": it is going away\n"));
}

TEST_F(WeightsTest, AVersionThatDoesNotComeInTimeIsNamed) {
  zero_.answer = [](const v1::PullRequest&, v1::PullResponse*) {
    return grpc::Status(grpc::StatusCode::DEADLINE_EXCEEDED, "Deadline Exceeded");
  };
  EXPECT_THAT(PullWeights(zero_.address, PullSelector::Exactly(Version(30)), absl::Seconds(20))
                  .status()
                  .message(),
              HasSubstr("version 30 has not come in time"));
}

TEST_F(WeightsTest, WhoIsNotTheCoordinatorSaysSo) {
  EXPECT_THAT(
      PullWeights(one_.address, PullSelector::Latest(), absl::Seconds(20)).status().message(),
      HasSubstr("ask shard 0"));
}

TEST_F(WeightsTest, TheFileHasEveryTensorAndSaysWhatItIs) {
  TempDir directory;
  const Weights weights = Pull().value();
  ASSERT_TRUE(WriteWeights(weights, directory / "w", FileSystem::Real()).ok());
  const SafetensorsFile file = DecodeSafetensors(ReadFile(directory / "w")).value();
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_EQ(file.tensors[0].name, "a");
  EXPECT_THAT(file.tensors[0].shape, ElementsAre(2, 3));
  EXPECT_THAT(file.tensors[1].values, ::testing::Each(7.0F));
  EXPECT_EQ(file.metadata.at("version"), "7");
  EXPECT_EQ(file.metadata.at("job"), "fake");
  EXPECT_EQ(file.metadata.at("weights_crc32c"), CrcText(weights.crc32c()));
}

}  // namespace
}  // namespace conadv
