// SPDX-License-Identifier: Apache-2.0
// Which processes may be a shard, and what members were told of the servers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/server/coordinate/coordinator_fixture.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class ShardJoinTest : public CoordinatorTest {
 protected:
  // Two shards, and a worker that trains.
  void SetUp() override {
    Make(2);
    shard_id_ = JoinFresh(&shard_);
    const MemberId worker = *Join(Role::kWorker, &worker_);
    coordinator_->OnOffered(worker);
  }
  absl::StatusOr<MemberId> JoinAt(const std::string& address) {
    HelloMessage hello;
    hello.role = Role::kShard;
    hello.name = "server-1";
    hello.incarnation = Incarnation(next_incarnation_++);
    hello.shard = 1;
    hello.address = address;
    return coordinator_->Join(hello, &other_);
  }

  FakeMember shard_;
  FakeMember worker_;
  FakeMember other_;
  MemberId shard_id_;
};

TEST_F(ShardJoinTest, ASecondProcessThatWantsToBeALivingShardIsRefusedAndTheRunGoesOn) {
  EXPECT_TRUE(absl::IsUnavailable(JoinAt("127.0.0.1:9").status())) << "the first may be gone";
  clock_.now += absl::Seconds(1);
  EXPECT_TRUE(absl::IsUnavailable(JoinAt("127.0.0.1:9").status()));
  coordinator_->OnHeartbeat(shard_id_);
  const absl::Status status = JoinAt("127.0.0.1:9").status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(
      std::string(status.message()),
      AllOf(HasSubstr("127.0.0.1:2"), HasSubstr("127.0.0.1:9"), HasSubstr("another --shard")));
  EXPECT_TRUE(coordinator_->health().ok());
  EXPECT_EQ(coordinator_->Read().phase, Phase::kTraining);
  EXPECT_TRUE(shard_.closed.ok());
  EXPECT_TRUE(worker_.closed.ok());
}

TEST_F(ShardJoinTest, AShardThatStartedAgainElsewhereGetsInOnceTheFormerIsKnownToBeGone) {
  EXPECT_TRUE(absl::IsUnavailable(JoinAt("127.0.0.1:9").status()));
  EXPECT_TRUE(coordinator_->health().ok());
  coordinator_->OnGone(shard_id_);
  EXPECT_THAT(std::string(coordinator_->health().message()), HasSubstr("is gone"))
      << "the next lineage takes it";
}

TEST_F(ShardJoinTest, AShardThatStartedAgainAtItsAddressIsNoRival) {
  const absl::Status status = JoinAt("127.0.0.1:2").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("started again"));
  EXPECT_TRUE(absl::IsUnavailable(coordinator_->health()));
}

TEST_F(ShardJoinTest, EachRivalIsJudgedByWhatWasHeardSinceItCame) {
  EXPECT_TRUE(absl::IsUnavailable(JoinAt("127.0.0.1:9").status()));
  coordinator_->OnHeartbeat(shard_id_);
  EXPECT_TRUE(absl::IsUnavailable(JoinAt("127.0.0.1:8").status()));
}

TEST_F(ShardJoinTest, AShardOfAnotherNumberOfShardsIsRefusedWithBothNumbers) {
  HelloMessage hello;
  hello.role = Role::kShard;
  hello.name = "server-1";
  hello.shard = 1;
  hello.address = "127.0.0.1:2";
  hello.shards = 3;
  const absl::Status status = coordinator_->Join(hello, &other_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("3 shards"), HasSubstr("has 2")));
  EXPECT_TRUE(coordinator_->health().ok());
}

TEST_F(ShardJoinTest, AWorkerThatWasToldOfOtherServersIsRefusedWithWhatDiffers) {
  HelloMessage hello;
  hello.name = "worker-9";
  hello.plan = plan_;
  hello.servers = {"127.0.0.1:1"};
  absl::Status status = coordinator_->Join(hello, &other_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), AllOf(HasSubstr("1 server"), HasSubstr("has 2")));
  hello.servers = {"127.0.0.1:1", "127.0.0.1:7"};
  status = coordinator_->Join(hello, &other_).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr("shard 1"), HasSubstr("127.0.0.1:7"), HasSubstr("127.0.0.1:2")));
  hello.servers = {"127.0.0.1:1", "127.0.0.1:2"};
  EXPECT_TRUE(coordinator_->Join(hello, &other_).ok());
}

}  // namespace
}  // namespace conadv
