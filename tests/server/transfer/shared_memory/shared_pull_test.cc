// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/server/transfer/shared_memory/local_peer.h"
#include "tests/server/transfer/shared_memory/shared_memory_fixture.h"

namespace conadv {
namespace {

using ::testing::Each;

class SharedPullTest : public SharedMemoryTest {
 protected:
  SharedResponse Pull(LocalPeer* peer, uint64_t call, const PullSelector& selector) {
    peer->Send({call, PullQuery{selector, 0, kLineage}});
    const auto response = peer->Receive();
    EXPECT_TRUE(response.ok()) << response.status();
    EXPECT_EQ(response->call, call);
    return *response;
  }
  static bool IsPulled(const SharedResponse& response) {
    return std::holds_alternative<SharedPulled>(response.content);
  }
  static absl::Span<const float> Weights(const LocalPeer& peer, const SharedResponse& response) {
    return {peer.Values(response), kElements};
  }
};

TEST_F(SharedPullTest, TheSegmentIsTheSnapshotsOwnMemoryAndItsFileComesOnce) {
  Begin();
  LocalPeer peer(server_->name());
  const SharedResponse first = Pull(&peer, 1, PullSelector::Latest());
  ASSERT_TRUE(IsPulled(first));
  const auto header = ParsePullHeader(std::get<SharedPulled>(first.content).header);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(header->incarnation, incarnation_);
  EXPECT_EQ(header->lineage, kLineage);
  EXPECT_EQ(header->size, kElements);
  EXPECT_THAT(Weights(peer, first), Each(ValueOf(0)));
  const SharedResponse second = Pull(&peer, 2, PullSelector::Latest());
  EXPECT_EQ(peer.files_came(), 1);
  EXPECT_EQ(peer.Values(second), peer.Values(first));
  EXPECT_EQ(server_->mapped_versions(), 1U);
}

TEST_F(SharedPullTest, AVersionIsWaitedForAndAWaitCanBeGivenUp) {
  Begin();
  LocalPeer peer(server_->name());
  peer.Send({1, PullQuery{PullSelector::Exactly(Version(1)), 0, kLineage}});
  peer.Send({2, PullQuery{PullSelector::Exactly(Version(1)), 0, kLineage}});
  peer.Send({2, CancelCall{}});
  // Messages are taken in their order: this one's answer says that those before were.
  EXPECT_TRUE(IsPulled(Pull(&peer, 3, PullSelector::Latest())));
  Update(0);
  const auto answer = peer.Receive();
  ASSERT_TRUE(answer.ok()) << answer.status();
  EXPECT_EQ(answer->call, 1U);
  EXPECT_THAT(Weights(peer, *answer), Each(ValueOf(1)));
  EXPECT_EQ(Pull(&peer, 4, PullSelector::Latest()).call, 4U) << "nobody answers the second";
}

TEST_F(SharedPullTest, ErrorsAreThoseOfTheNetwork) {
  Begin();
  LocalPeer peer(server_->name());
  peer.Send({1, PullQuery{PullSelector::Latest(), 0, Lineage(6)}});
  peer.Send({2, PullQuery{PullSelector::Latest(), 77, kLineage}});
  peer.Send({3, PullQuery{PullSelector::Exactly(Version(kSteps + 1)), 0, kLineage}});
  for (const auto code : {absl::StatusCode::kAborted, absl::StatusCode::kInvalidArgument,
                          absl::StatusCode::kOutOfRange}) {
    const auto answer = peer.Receive();
    ASSERT_TRUE(answer.ok()) << answer.status();
    const auto* status = std::get_if<absl::Status>(&answer->content);
    ASSERT_NE(status, nullptr);
    EXPECT_EQ(status->code(), code) << *status;
  }
}

TEST_F(SharedPullTest, WhatIsMappedStaysAsItIsUntilItIsReleased) {
  Begin();
  LocalPeer peer(server_->name());
  const SharedResponse first = Pull(&peer, 1, PullSelector::Latest());
  for (uint64_t step = 0; step < 12; ++step) Update(step);
  EXPECT_THAT(Weights(peer, first), Each(ValueOf(0)));
  peer.Send({1, ReleaseVersion{}});
  Pull(&peer, 2, PullSelector::Latest());
  EXPECT_EQ(server_->mapped_versions(), 1U);
  // Some of the next ones are written where it was.
  for (uint64_t step = 12; step < 24; ++step) Update(step);
  EXPECT_NE(peer.Values(first)[0], ValueOf(0));
}

TEST_F(SharedPullTest, WhatWasNotReleasedIsNeverWrittenAgainThoughTheConnectionIsGone) {
  Begin();
  auto peer = std::make_unique<LocalPeer>(server_->name());
  const SharedResponse first = Pull(peer.get(), 1, PullSelector::Latest());
  peer->socket().Shutdown();
  // Its end is seen when its version is no longer counted.
  LocalPeer other(server_->name());
  uint64_t call = 1;
  while (server_->mapped_versions() > 0) {
    other.Send({call, CancelCall{}});
    Pull(&other, ++call, PullSelector::Exactly(Version(kSteps + 1)));
  }
  for (uint64_t step = 0; step < 20; ++step) Update(step);
  EXPECT_THAT(Weights(*peer, first), Each(ValueOf(0)));
}

TEST_F(SharedPullTest, SoManyVersionsAreMappedAndTheOthersGoOverTheNetwork) {
  Begin();
  const uint64_t most = MappedVersionsOf(SomeJob().training, 2);
  LocalPeer peer(server_->name());
  for (uint64_t version = 0; version < most; ++version) {
    ASSERT_TRUE(IsPulled(Pull(&peer, version + 1, PullSelector::Latest())));
    Update(version);
  }
  const SharedResponse over = Pull(&peer, 100, PullSelector::Latest());
  EXPECT_TRUE(std::holds_alternative<ByNetwork>(over.content));
  const Shard::Memory memory = shard_.memory();
  EXPECT_LE(memory.now_bytes, memory.limit_bytes);
  peer.Send({1, ReleaseVersion{}});
  EXPECT_TRUE(IsPulled(Pull(&peer, 101, PullSelector::Latest())));
}

TEST_F(SharedPullTest, AServerThatGoesEndsTheWaits) {
  Begin();
  LocalPeer peer(server_->name());
  peer.Send({1, PullQuery{PullSelector::Exactly(Version(1)), 0, kLineage}});
  Pull(&peer, 2, PullSelector::Latest());
  shard_.snapshots().Close(absl::UnavailableError("going away"));
  const auto answer = peer.Receive();
  ASSERT_TRUE(answer.ok());
  EXPECT_TRUE(absl::IsUnavailable(std::get<absl::Status>(answer->content)));
  server_->Stop();
  EXPECT_TRUE(absl::IsUnavailable(peer.Receive().status()));
}

}  // namespace
}  // namespace conadv
