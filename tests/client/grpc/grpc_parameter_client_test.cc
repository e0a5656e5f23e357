// SPDX-License-Identifier: Apache-2.0
// The raw client against a server made of the generated classes: what we send is what protobuf
// reads.
#include "client/grpc/grpc_parameter_client.h"

#include <gmock/gmock.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <future>
#include <numeric>
#include <thread>
#include <vector>

#include "client/transfer/ready_chunks.h"
#include "common/base/backoff.h"
#include "common/job/streams.h"
#include "common/thread/mutex.h"
#include "common/wire/chunk.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "tests/support/streams.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kLayoutHash = 0xabcd;

// Answers as the test's functions say.
class FakeServer final : public v1::ParameterServer::Service {
 public:
  grpc::Status Pull(grpc::ServerContext* context, const v1::PullRequest* request,
                    grpc::ServerWriter<v1::PullResponse>* writer) override {
    return pull(context, *request, writer);
  }
  grpc::Status Push(grpc::ServerContext*, grpc::ServerReader<v1::PushRequest>* reader,
                    v1::PushResponse* response) override {
    return push(reader, response);
  }
  std::function<grpc::Status(grpc::ServerContext*, const v1::PullRequest&,
                             grpc::ServerWriter<v1::PullResponse>*)>
      pull;
  std::function<grpc::Status(grpc::ServerReader<v1::PushRequest>*, v1::PushResponse*)> push;
};

class GrpcParameterClientTest : public ::testing::Test {
 protected:
  GrpcParameterClientTest() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    const std::string address = "127.0.0.1:" + std::to_string(port);
    client_ = std::make_unique<GrpcParameterClient>(
        grpc::CreateChannel(address, grpc::InsecureChannelCredentials()), address, kLayoutHash,
        "worker-1");
  }
  ~GrpcParameterClientTest() override {
    client_.reset();
    server_->Shutdown();
  }

  absl::StatusOr<PulledShard> Pull(const PullSelector& selector, size_t size) {
    destination_.assign(size, -1);
    std::promise<absl::StatusOr<PulledShard>> answer;
    client_->Pull(
        selector, absl::Seconds(30), [this](Version) { return absl::MakeSpan(destination_); },
        [&answer](absl::StatusOr<PulledShard> pulled) { answer.set_value(std::move(pulled)); });
    return answer.get_future().get();
  }
  absl::StatusOr<PushReply> Push(const PushContent& content) {
    std::promise<absl::StatusOr<PushReply>> answer;
    client_->Push(content, absl::Seconds(30), [&answer](absl::StatusOr<PushReply> pushed) {
      answer.set_value(std::move(pushed));
    });
    return answer.get_future().get();
  }

  static v1::PullResponse PullChunk(const std::vector<float>& values, size_t begin, size_t end) {
    v1::PullResponse chunk;
    chunk.set_offset(begin);
    chunk.set_payload(values.data() + begin, (end - begin) * sizeof(float));
    return chunk;
  }
  static void SetHeader(uint64_t version, uint64_t size, v1::PullResponse* chunk) {
    chunk->mutable_header()->set_version(version);
    chunk->mutable_header()->set_size(size);
    chunk->mutable_header()->set_incarnation(77);
    chunk->mutable_header()->set_layout_hash(kLayoutHash);
  }

  FakeServer service_;
  std::unique_ptr<grpc::Server> server_;
  std::unique_ptr<GrpcParameterClient> client_;
  std::vector<float> destination_;
};

std::vector<float> Counting(size_t size) {
  std::vector<float> values(size);
  std::iota(values.begin(), values.end(), 0.5F);
  return values;
}

TEST_F(GrpcParameterClientTest, APulledArenaIsWhatTheServerSentInChunksOfAnySize) {
  const std::vector<float> values = Counting(1000);
  v1::PullRequest asked;
  service_.pull = [&](auto*, const v1::PullRequest& request, auto* writer) {
    asked = request;
    size_t begin = 0;
    for (const size_t end : {1, 17, 500, 1000}) {
      v1::PullResponse chunk = PullChunk(values, begin, end);
      if (begin == 0) SetHeader(4, values.size(), &chunk);
      writer->Write(chunk);
      begin = end;
    }
    return grpc::Status::OK;
  };
  const auto pulled = Pull(PullSelector::Exactly(Version(4)), values.size());
  ASSERT_TRUE(pulled.ok()) << pulled.status();
  EXPECT_EQ(pulled->version, Version(4));
  EXPECT_EQ(destination_, values);
  EXPECT_EQ(asked.version(), 4);
  EXPECT_EQ(asked.layout_hash(), kLayoutHash);
}

TEST_F(GrpcParameterClientTest, EverySelectorArrivesAsItIs) {
  v1::PullRequest asked;
  service_.pull = [&](auto*, const v1::PullRequest& request, auto*) {
    asked = request;
    return grpc::Status(grpc::StatusCode::OUT_OF_RANGE, "retained 3 to 5");
  };
  EXPECT_EQ(Pull(PullSelector::Latest(), 1).status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_TRUE(asked.latest());
  (void)Pull(PullSelector::Lag(0), 1);
  EXPECT_EQ(asked.selector_case(), v1::PullRequest::kLag);
  (void)Pull(PullSelector::AtLeast(Version(9)), 1);
  EXPECT_EQ(asked.at_least(), 9);
}

TEST_F(GrpcParameterClientTest, AServerThatAnswersSomethingElseIsCaught) {
  const std::vector<float> values = Counting(8);
  const struct {
    const char* what;
    absl::StatusCode code;
    std::function<void(v1::PullResponse* first, v1::PullResponse* second)> change;
  } kCases[] = {
      {"a gap", absl::StatusCode::kDataLoss, [](auto*, auto* second) { second->set_offset(5); }},
      {"an overlap", absl::StatusCode::kDataLoss,
       [](auto*, auto* second) { second->set_offset(3); }},
      {"too long", absl::StatusCode::kDataLoss,
       [&](auto*, auto* second) { second->set_payload(values.data(), 20); }},
      {"half an element", absl::StatusCode::kDataLoss,
       [](auto*, auto* second) { second->set_payload("abcdef"); }},
      {"a second header", absl::StatusCode::kDataLoss,
       [](auto*, auto* second) { SetHeader(4, 8, second); }},
      {"no header", absl::StatusCode::kDataLoss, [](auto* first, auto*) { first->clear_header(); }},
      {"another version", absl::StatusCode::kInvalidArgument,
       [](auto* first, auto*) { first->mutable_header()->set_version(3); }},
      {"another layout", absl::StatusCode::kInvalidArgument,
       [](auto* first, auto*) { first->mutable_header()->set_layout_hash(1); }},
      {"another size", absl::StatusCode::kDataLoss,
       [](auto* first, auto*) { first->mutable_header()->set_size(9); }},
  };
  for (const auto& c : kCases) {
    service_.pull = [&](auto*, const auto&, auto* writer) {
      v1::PullResponse first = PullChunk(values, 0, 4), second = PullChunk(values, 4, 8);
      SetHeader(4, values.size(), &first);
      c.change(&first, &second);
      writer->Write(first);
      writer->Write(second);
      return grpc::Status::OK;
    };
    EXPECT_EQ(Pull(PullSelector::Exactly(Version(4)), values.size()).status().code(), c.code)
        << c.what;
  }
}

TEST_F(GrpcParameterClientTest, APullThatEndsEarlyIsAnError) {
  const std::vector<float> values = Counting(8);
  service_.pull = [&](auto*, const auto&, auto* writer) {
    v1::PullResponse first = PullChunk(values, 0, 4);
    SetHeader(4, values.size(), &first);
    writer->Write(first);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Pull(PullSelector::Latest(), 8).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(GrpcParameterClientTest, ARestartedServerIsNoticedUntilReset) {
  const std::vector<float> values = Counting(8);
  uint64_t incarnation = 1;
  service_.pull = [&](auto*, const auto&, auto* writer) {
    v1::PullResponse chunk = PullChunk(values, 0, 8);
    SetHeader(4, values.size(), &chunk);
    chunk.mutable_header()->set_incarnation(incarnation);
    writer->Write(chunk);
    return grpc::Status::OK;
  };
  EXPECT_TRUE(Pull(PullSelector::Latest(), 8).ok());
  incarnation = 2;
  const absl::Status status = Pull(PullSelector::Latest(), 8).status();
  EXPECT_TRUE(absl::IsAborted(status));
  EXPECT_THAT(status.message(), HasSubstr("was restarted"));
  client_->Reset();
  EXPECT_TRUE(Pull(PullSelector::Latest(), 8).ok());
}

TEST_F(GrpcParameterClientTest, APushArrivesWholeInChunksThatProtobufReads) {
  // Three chunks, the last of one element.
  const size_t size = 2 * kChunkBytes / sizeof(float) + 1;
  auto arena = std::make_shared<Arena>(size + 32);
  std::iota(arena->span().begin(), arena->span().end(), 0.0F);
  PushContent content;
  Contribution header;
  header.unit = {Step(6), Slot(3)};
  header.lineage = Lineage(44);
  header.stream = kAdversarialStream;
  header.update_version = Version(6);
  header.attack_version = Version(5);
  header.loss = 1.5F;
  header.accuracy = 0.25F;
  content.header = header;
  content.arena = arena;
  content.arena_begin = 16;
  content.range = {16, 16 + size};
  v1::PushHeader received;
  std::vector<float> values(size);
  int chunks = 0;
  service_.push = [&](grpc::ServerReader<v1::PushRequest>* reader, v1::PushResponse* response) {
    v1::PushRequest request;
    while (reader->Read(&request)) {
      EXPECT_EQ(request.has_header(), chunks == 0);
      if (chunks++ == 0) received = request.header();
      if (request.offset() - 16 + request.payload().size() / sizeof(float) > size) break;
      std::memcpy(values.data() + request.offset() - 16, request.payload().data(),
                  request.payload().size());
    }
    response->set_outcome(v1::PushResponse::DUPLICATE);
    response->set_latest_version(7);
    return grpc::Status::OK;
  };
  client_->SetLineage(Lineage(45));
  const auto answer = Push(content);
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->outcome, PushOutcome::kDuplicate);
  EXPECT_EQ(answer->latest, Version(7));
  EXPECT_EQ(chunks, 3);
  EXPECT_EQ(values, std::vector<float>(arena->data() + 32, arena->data() + 32 + size));
  EXPECT_EQ(received.layout_hash(), kLayoutHash);
  EXPECT_EQ(received.worker(), "worker-1");
  EXPECT_EQ(received.lineage(), 44) << "its own, not the one of the session that sends it";
  EXPECT_EQ(received.contribution().step(), 6);
  EXPECT_EQ(received.contribution().slot(), 3);
  EXPECT_EQ(received.contribution().stream(), 1U);
  EXPECT_EQ(received.contribution().update_version(), 6);
  EXPECT_EQ(received.contribution().attack_version(), 5);
  EXPECT_EQ(received.contribution().loss(), 1.5F);
  EXPECT_EQ(received.contribution().accuracy(), 0.25F);
}

class GradualPushTest : public GrpcParameterClientTest {
 protected:
  static constexpr size_t kElements = kChunkBytes / sizeof(float);

  GradualPushTest() {
    content_.header = Contribution();
    content_.arena = std::make_shared<Arena>(3 * kElements);
    content_.range = {0, 3 * kElements};
    content_.ready = std::make_shared<ReadyChunks>(content_.range, kElements);
    content_.ready->Add({2 * kElements, 3 * kElements});
    service_.push = [this](grpc::ServerReader<v1::PushRequest>* reader, v1::PushResponse*) {
      v1::PushRequest request;
      while (reader->Read(&request)) {
        MutexLock lock(&mutex_);
        offsets_.push_back(request.offset());
        came_.NotifyAll();
      }
      return grpc::Status::OK;
    };
  }
  // The service uses what is ours.
  ~GradualPushTest() override {
    client_.reset();
    server_->Shutdown();
  }
  std::future<absl::StatusOr<PushReply>> Begin() {
    const auto answer = std::make_shared<std::promise<absl::StatusOr<PushReply>>>();
    client_->Push(content_, absl::Seconds(30), [answer](absl::StatusOr<PushReply> pushed) {
      answer->set_value(std::move(pushed));
    });
    return answer->get_future();
  }
  void Await(size_t chunks) {
    MutexLock lock(&mutex_);
    while (offsets_.size() < chunks) came_.Wait(&mutex_);
  }

  PushContent content_;
  Mutex mutex_;
  CondVar came_;
  std::vector<uint64_t> offsets_ ABSL_GUARDED_BY(mutex_);
};

TEST_F(GradualPushTest, ChunksLeaveAsTheyBecomeReady) {
  auto pushed = Begin();
  Await(1);
  content_.ready->Add({0, kElements});
  Await(2);
  content_.ready->AddRest();
  const auto answer = pushed.get();
  EXPECT_TRUE(answer.ok()) << answer.status();
  MutexLock lock(&mutex_);
  EXPECT_EQ(offsets_, (std::vector<uint64_t>{2 * kElements, 0, kElements}));
}

TEST_F(GradualPushTest, WhatIsGivenUpEndsAsCancelledWhetherItWaitsOrNot) {
  auto waits = Begin();
  Await(1);
  content_.ready->Abandon();
  EXPECT_TRUE(absl::IsCancelled(waits.get().status()));
  // Its first chunk is there, and no other ever will be.
  EXPECT_TRUE(absl::IsCancelled(Begin().get().status()));
}

TEST_F(GradualPushTest, AnAnswerBeforeTheRestIsReadyEndsIt) {
  service_.push = [](auto*, v1::PushResponse* response) {
    response->set_outcome(v1::PushResponse::DUPLICATE);
    return grpc::Status::OK;
  };
  const auto answer = Begin().get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->outcome, PushOutcome::kDuplicate);
  content_.ready->AddRest();
}

TEST_F(GradualPushTest, ShutdownEndsOneThatWaits) {
  auto pushed = Begin();
  Await(1);
  client_->Shutdown();
  EXPECT_TRUE(absl::IsCancelled(pushed.get().status()));
  content_.ready->AddRest();
}

TEST_F(GrpcParameterClientTest, ARefusalThatComesBeforeTheLastChunkIsTheAnswer) {
  PushContent content;
  content.arena = std::make_shared<Arena>(8 * kChunkBytes / sizeof(float));
  content.range = {0, content.arena->size()};
  service_.push = [](auto*, auto*) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "tensor a: not finite");
  };
  const absl::Status status = Push(content).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(status.message(), HasSubstr("tensor a"));
}

// Its room went to others; it is not the end of the session.
TEST_F(GrpcParameterClientTest, ACallThatTheServerCancelsMayBeMadeAgain) {
  PushContent content;
  content.arena = std::make_shared<Arena>(16);
  content.range = {0, content.arena->size()};
  const auto cancel = [](auto&&...) { return grpc::Status(grpc::StatusCode::CANCELLED, "idle"); };
  service_.push = cancel;
  service_.pull = cancel;
  for (const absl::Status& status :
       {Push(content).status(), Pull(PullSelector::Latest(), 1).status()}) {
    EXPECT_TRUE(IsTransient(status)) << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr("idle, and others waited"));
  }
}

TEST_F(GrpcParameterClientTest, ShutdownEndsALongPollAndRefusesMore) {
  std::promise<void> waiting;
  service_.pull = [&](grpc::ServerContext* context, const auto&, auto*) {
    waiting.set_value();
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  std::promise<absl::Status> answer;
  client_->Pull(
      PullSelector::Latest(), absl::Hours(1),
      [](Version) { return absl::InternalError("nothing comes"); },
      [&answer](const absl::StatusOr<PulledShard>& pulled) { answer.set_value(pulled.status()); });
  waiting.get_future().wait();
  client_->Shutdown();
  EXPECT_TRUE(absl::IsCancelled(answer.get_future().get()));
  EXPECT_TRUE(absl::IsCancelled(Pull(PullSelector::Latest(), 1).status()));
}

}  // namespace
}  // namespace conadv
