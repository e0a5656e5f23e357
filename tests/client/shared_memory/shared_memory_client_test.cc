// SPDX-License-Identifier: Apache-2.0
// The client against a real shard's shared memory; the network is a fake that counts what comes.
#include "client/shared_memory/shared_memory_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <future>
#include <optional>
#include <thread>

#include "client/shared_memory/shared_memory_transport.h"
#include "tests/client/transfer/fake_shard.h"
#include "tests/server/transfer/shared_memory/shared_memory_fixture.h"

namespace conadv {
namespace {

using ::testing::Each;
using Pulled = absl::StatusOr<PulledShard>;

constexpr absl::Duration kLong = absl::Minutes(5);

class SharedMemoryClientTest : public SharedMemoryTest {
 protected:
  SharedMemoryClientTest() {
    Begin();
    auto network = std::make_unique<FakeShard>();
    network_ = network.get();
    client_ = std::make_unique<SharedMemoryClient>(std::move(network), &arenas_,
                                                   shard_.run()->layout.hash(), "w");
    client_->SetLineage(kLineage);
  }

  std::future<Pulled> StartPull(const PullSelector& selector, absl::Duration timeout = kLong) {
    auto promise = std::make_shared<std::promise<Pulled>>();
    client_->Pull(
        selector, timeout,
        [this](Version) -> absl::StatusOr<absl::Span<float>> { return absl::MakeSpan(place_); },
        [promise](Pulled pulled) { promise->set_value(std::move(pulled)); });
    return promise->get_future();
  }
  // The server's answer to the question where its shared memory is.
  void Tell(const absl::StatusOr<ServerDescription>& description) {
    ASSERT_EQ(network_->describes.size(), 1U);
    const auto done = network_->describes.front();
    network_->describes.pop_front();
    done(description);
  }
  void TellOfServer() { Tell(ServerDescription{incarnation_, server_->name()}); }
  Pulled Pull(const PullSelector& selector) {
    auto pulled = StartPull(selector);
    if (!network_->describes.empty()) TellOfServer();
    return pulled.get();
  }
  // `ready` of it, if it is not nullptr.
  std::future<absl::StatusOr<PushReply>> StartPush(uint64_t step, ArenaAllocator* memory,
                                                   std::shared_ptr<ReadyChunks> ready = nullptr) {
    auto arena = std::make_shared<Arena>(shard_.run()->layout.total_size(), memory);
    std::fill(arena->span().begin(), arena->span().end(), 0.5F);
    auto promise = std::make_shared<std::promise<absl::StatusOr<PushReply>>>();
    client_->Push({ContributionOf(step), arena, 0, Range{0, kElements}, ElementType::kFloat32,
                   std::move(ready)},
                  kLong, [promise](absl::StatusOr<PushReply> reply) { promise->set_value(reply); });
    return promise->get_future();
  }
  // What the server has given away is its own again once it has heard of it.
  void ExpectAllReleased() {
    while (server_->mapped_versions() > 0) std::this_thread::yield();
  }

  FakeShard* network_ = nullptr;
  std::vector<float> place_ = std::vector<float>(kElements);
  std::unique_ptr<SharedMemoryClient> client_;
};

TEST_F(SharedMemoryClientTest, WeightsAreReadWhereTheServerHasThemAndGivenBack) {
  auto pulled = StartPull(PullSelector::Latest());
  TellOfServer();
  Pulled answer = pulled.get();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->version, Version(0));
  EXPECT_EQ(answer->lineage, kLineage);
  ASSERT_NE(answer->weights, nullptr);
  EXPECT_THAT(answer->weights->span(), Each(ValueOf(0)));
  EXPECT_NE(answer->weights->data(), shard_.snapshots().Latest()->weights->data());
  EXPECT_TRUE(network_->pulls.empty());
  EXPECT_EQ(server_->mapped_versions(), 1U);
  answer->weights = nullptr;
  ExpectAllReleased();
}

TEST_F(SharedMemoryClientTest, WhatIsHeldStaysWhileTheServerGoesOn) {
  const Pulled first = Pull(PullSelector::Latest());
  for (uint64_t step = 0; step < 12; ++step) Update(step);
  EXPECT_THAT(first->weights->span(), Each(ValueOf(0)));
  EXPECT_THAT(Pull(PullSelector::Latest())->weights->span(), Each(ValueOf(12)));
}

TEST_F(SharedMemoryClientTest, WhatIsHeldStaysThoughTheLinkIsGone) {
  const Pulled first = Pull(PullSelector::Latest());
  client_->Reset();
  ExpectAllReleased();
  for (uint64_t step = 0; step < 20; ++step) Update(step);
  EXPECT_THAT(first->weights->span(), Each(ValueOf(0)));
}

TEST_F(SharedMemoryClientTest, WhatIsHeldOutlivesTheServer) {
  const Pulled first = Pull(PullSelector::Latest());
  server_->Stop();
  client_.reset();
  EXPECT_THAT(first->weights->span(), Each(ValueOf(0)));
}

TEST_F(SharedMemoryClientTest, APushIsReadFromTheArenaItLiesIn) {
  auto push = StartPush(0, &arenas_);
  TellOfServer();
  const auto reply = push.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome, PushOutcome::kAccepted);
  EXPECT_TRUE(reply->shared);
  EXPECT_TRUE(network_->pushes.empty());
  EXPECT_THAT(Pull(PullSelector::Exactly(Version(1)))->weights->span(), Each(ValueOf(1)));
}

TEST_F(SharedMemoryClientTest, APushMayBeginBeforeItsValuesAreFinal) {
  constexpr size_t kLarge = size_t{8} << 20;
  EXPECT_FALSE(client_->pushes_gradually(kLarge)) << "it is not known yet how";
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  EXPECT_FALSE(client_->pushes_gradually(kLarge)) << "as the network is told to";
  network_->gradually = true;
  EXPECT_TRUE(client_->pushes_gradually(kLarge));
  EXPECT_FALSE(client_->pushes_gradually(kElements)) << "a small one is copied at once";
  const auto ready = std::make_shared<ReadyChunks>(Range{0, kElements}, 128);
  ready->Add({kElements / 2, kElements});
  auto push = StartPush(0, &arenas_, ready);
  for (size_t end = kElements / 2; end > 0; end -= kElements / 8) {
    ready->Add({end - kElements / 8, end});
  }
  ready->AddRest();
  const auto reply = push.get();
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_TRUE(reply->shared);
  EXPECT_TRUE(network_->pushes.empty());
  EXPECT_THAT(Pull(PullSelector::Exactly(Version(1)))->weights->span(), Each(ValueOf(1)));
}

TEST_F(SharedMemoryClientTest, APushThatIsGivenUpEndsWithTheServersWordAndHasChangedNothing) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  const auto ready = std::make_shared<ReadyChunks>(Range{0, kElements}, 128);
  ready->Add({kElements / 2, kElements});
  auto push = StartPush(0, &arenas_, ready);
  ready->Abandon();
  EXPECT_TRUE(absl::IsCancelled(push.get().status()));
  EXPECT_EQ(StartPush(0, &arenas_).get()->outcome, PushOutcome::kAccepted);
}

TEST_F(SharedMemoryClientTest, ValuesMayBecomeFinalAfterTheClientIsGone) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  const auto ready = std::make_shared<ReadyChunks>(Range{0, kElements}, 128);
  auto push = StartPush(0, &arenas_, ready);
  client_.reset();
  EXPECT_TRUE(absl::IsCancelled(push.get().status()));
  ready->AddRest();
}

TEST_F(SharedMemoryClientTest, WhatLiesInOrdinaryMemoryIsPushedOverTheNetwork) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  auto push = StartPush(0, &ArenaAllocator::Heap());
  ASSERT_EQ(network_->pushes.size(), 1U);
  network_->AnswerPush(PushReply{});
  EXPECT_FALSE(push.get()->shared);
}

TEST_F(SharedMemoryClientTest, AServerOfAnotherMachineIsReachedOverTheNetwork) {
  for (const char* name : {"", "conadv-nobody-has-this-name"}) {
    client_->Reset();
    auto pulled = StartPull(PullSelector::Latest());
    EXPECT_TRUE(network_->pulls.empty()) << "it is not known yet";
    Tell(ServerDescription{incarnation_, name});
    network_->AnswerPull(Version(3));
    EXPECT_EQ(pulled.get()->weights, nullptr);
    auto next = StartPull(PullSelector::Latest());
    EXPECT_TRUE(network_->describes.empty()) << "it is known now";
    network_->AnswerPull(Version(3));
    EXPECT_TRUE(next.get().ok());
  }
}

TEST_F(SharedMemoryClientTest, AServerThatDoesNotAnswerIsAskedAgainWithTheNextCall) {
  auto pulled = StartPull(PullSelector::Latest());
  Tell(absl::UnavailableError("away"));
  network_->FailPull(absl::UnavailableError("away"));
  EXPECT_TRUE(absl::IsUnavailable(pulled.get().status()));
  EXPECT_NE(Pull(PullSelector::Latest())->weights, nullptr);
}

TEST_F(SharedMemoryClientTest, VersionsBeyondWhatMayBeMappedComeOverTheNetwork) {
  std::vector<Pulled> held;
  const uint64_t most = MappedVersionsOf(SomeJob().training, 2);
  for (uint64_t step = 0; step < most; ++step) {
    held.push_back(Pull(PullSelector::Latest()));
    ASSERT_NE(held.back()->weights, nullptr);
    Update(step);
  }
  std::promise<void> came;
  network_->pull_came = [&came] { came.set_value(); };
  auto over = StartPull(PullSelector::Latest());
  came.get_future().wait();
  network_->AnswerPull(Version(most));
  EXPECT_EQ(over.get()->weights, nullptr);
}

TEST_F(SharedMemoryClientTest, AWaitEndsWithItsDeadlineAndLeavesNothingBehind) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  const auto late = StartPull(PullSelector::Exactly(Version(1)), absl::Milliseconds(5)).get();
  EXPECT_TRUE(absl::IsDeadlineExceeded(late.status())) << late.status();
  Update(0);
  EXPECT_TRUE(Pull(PullSelector::Exactly(Version(1))).ok());
  ExpectAllReleased();
}

TEST_F(SharedMemoryClientTest, ResetEndsWhatWaits) {
  auto held = StartPull(PullSelector::Latest());
  client_->Reset();
  EXPECT_TRUE(absl::IsCancelled(held.get().status()));
  Tell(absl::CancelledError(""));
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  auto waits = StartPull(PullSelector::Exactly(Version(1)));
  client_->Reset();
  EXPECT_TRUE(absl::IsCancelled(waits.get().status()));
  EXPECT_TRUE(Pull(PullSelector::Latest()).ok());
}

TEST_F(SharedMemoryClientTest, AServerThatGoesEndsWhatWaitsAndIsLookedForAgain) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  auto waits = StartPull(PullSelector::Exactly(Version(1)));
  server_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(waits.get().status()));
  auto next = StartPull(PullSelector::Latest());
  Tell(ServerDescription{incarnation_, ""});
  network_->AnswerPull(Version(0));
  EXPECT_TRUE(next.get().ok());
}

TEST_F(SharedMemoryClientTest, AnotherProcessThanBeforeIsRefused) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  server_->Stop();
  SharedMemoryServer::Options options;
  options.shard = &shard_;
  options.incarnation = RandomIncarnation();
  options.arenas = &arenas_;
  options.clock = &Clock::Real();
  const auto restarted = *SharedMemoryServer::Start(options);
  std::optional<Pulled> pulled;
  // The first call may be the one that finds the link broken.
  while (!pulled.has_value() || absl::IsUnavailable(pulled->status())) {
    auto next = StartPull(PullSelector::Latest());
    if (!network_->describes.empty()) {
      Tell(ServerDescription{options.incarnation, restarted->name()});
    }
    if (!network_->pulls.empty()) network_->FailPull(absl::UnavailableError("broken"));
    pulled = next.get();
  }
  EXPECT_TRUE(absl::IsAborted(pulled->status())) << pulled->status();
}

TEST_F(SharedMemoryClientTest, NothingIsCalledBackAfterShutdown) {
  ASSERT_TRUE(Pull(PullSelector::Latest()).ok());
  auto waits = StartPull(PullSelector::Exactly(Version(1)));
  client_->Shutdown();
  EXPECT_TRUE(absl::IsCancelled(waits.get().status()));
}

TEST_F(SharedMemoryClientTest, ATransportWithoutSharedMemoryIsNotViable) {
  class Network final : public Transport {
   public:
    bool IsViable(const Peer&) const override { return true; }
    std::unique_ptr<ParameterClient> Connect(const Peer&) const override {
      return std::make_unique<FakeShard>();
    }
  };
  const Network network;
  EXPECT_FALSE(SharedMemoryTransport(&network, nullptr).IsViable({}));
  const SharedMemoryTransport transport(&network, &arenas_);
  EXPECT_TRUE(transport.IsViable({}));
  EXPECT_EQ(transport.Connect({})->address(), "shard.test:1");
}

}  // namespace
}  // namespace conadv
