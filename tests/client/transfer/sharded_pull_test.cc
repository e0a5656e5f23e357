// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/sharded_pull.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>

#include "tests/client/transfer/fake_shard.h"
#include "tests/support/manual_timer.h"
#include "worker/statistics/statistics.h"

namespace conadv {
namespace {

using ::testing::Each;
using ::testing::HasSubstr;

class ShardedPullTest : public ::testing::Test {
 protected:
  ShardedPullTest() {
    layout_ =
        std::make_shared<const Layout>(*Layout::Create({{"a", {40}}, {"b", {20}}, {"c", {7}}}, 2));
    PullOptions options;
    options.backoff.budget = absl::InfiniteDuration();
    Make(options);
  }
  void Make(const PullOptions& options) {
    pull_.emplace(layout_, std::vector<ParameterClient*>{&shards_[0], &shards_[1]}, &timer_,
                  &statistics_, options);
  }

  void Start(const PullSelector& selector) {
    pull_->Pull(selector, [this](absl::StatusOr<VersionedWeights> weights) {
      ASSERT_FALSE(answer_.has_value()) << "answered twice";
      answer_ = std::move(weights);
    });
  }
  void ExpectWhole(Version version) {
    ASSERT_TRUE(answer_.has_value());
    ASSERT_TRUE(answer_->ok()) << answer_->status();
    EXPECT_EQ((*answer_)->version, version);
    EXPECT_EQ((*answer_)->weights->size(), layout_->total_size());
    EXPECT_THAT((*answer_)->weights->span(), Each(static_cast<float>(version.value())));
  }
  const PullSelector& asked(int shard) { return shards_[shard].pulls.front().selector; }

  std::shared_ptr<const Layout> layout_;
  FakeShard shards_[2];
  ManualTimer timer_;
  WorkerStatistics statistics_;
  std::optional<ShardedPull> pull_;
  std::optional<absl::StatusOr<VersionedWeights>> answer_;
};

TEST_F(ShardedPullTest, AVersionIsAskedOfAllShardsAtOnce) {
  Start(PullSelector::Exactly(Version(5)));
  ASSERT_EQ(shards_[0].pulls.size(), 1);
  ASSERT_EQ(shards_[1].pulls.size(), 1);
  shards_[1].AnswerPull(Version(5));
  EXPECT_FALSE(answer_.has_value());
  shards_[0].AnswerPull(Version(5));
  ExpectWhole(Version(5));
}

TEST_F(ShardedPullTest, ALongPollThatEndsIsAskedAgain) {
  Start(PullSelector::Exactly(Version(5)));
  shards_[0].AnswerPull(Version(5));
  for (int i = 0; i < 3; ++i) shards_[1].FailPull(absl::DeadlineExceededError("not yet"));
  EXPECT_FALSE(answer_.has_value());
  shards_[1].AnswerPull(Version(5));
  ExpectWhole(Version(5));
}

TEST_F(ShardedPullTest, ShardZeroChoosesAndTheOthersFollow) {
  Start(PullSelector::Latest());
  EXPECT_TRUE(shards_[1].pulls.empty());
  shards_[0].AnswerPull(Version(9));
  EXPECT_EQ(asked(1).kind, PullSelector::Kind::kExactly);
  EXPECT_EQ(asked(1).value, 9);
  shards_[1].AnswerPull(Version(9));
  ExpectWhole(Version(9));
}

TEST_F(ShardedPullTest, AnAverageIsOneVersionsOnEveryShard) {
  Start(PullSelector::AtLeast(Version(7)).Averaged(true));
  EXPECT_TRUE(asked(0).averaged);
  shards_[0].AnswerPull(Version(9));
  EXPECT_TRUE(asked(1).averaged);
  EXPECT_EQ(asked(1).kind, PullSelector::Kind::kExactly);
  EXPECT_EQ(asked(1).value, 9);
  shards_[1].AnswerPull(Version(9));
  ExpectWhole(Version(9));
}

TEST_F(ShardedPullTest, AChoiceThatIsEvictedElsewhereIsMadeAgain) {
  Start(PullSelector::Lag(2));
  shards_[0].AnswerPull(Version(3));
  shards_[1].FailPull(absl::OutOfRangeError("retained 4 to 6"));
  EXPECT_EQ(asked(0).kind, PullSelector::Kind::kLag);
  EXPECT_EQ(asked(0).value, 2);
  shards_[0].AnswerPull(Version(4));
  shards_[1].AnswerPull(Version(4));
  ExpectWhole(Version(4));
}

TEST_F(ShardedPullTest, AShardThatLagsChooses) {
  Start(PullSelector::Latest());
  shards_[0].AnswerPull(Version(9));
  shards_[1].FailPull(absl::DeadlineExceededError("version 9 waits for your own push"));
  EXPECT_EQ(asked(1).kind, PullSelector::Kind::kLatest);
  shards_[1].AnswerPull(Version(6));
  EXPECT_EQ(asked(0).kind, PullSelector::Kind::kExactly);
  EXPECT_EQ(asked(0).value, 6);
  shards_[0].AnswerPull(Version(6));
  ExpectWhole(Version(6));
}

TEST_F(ShardedPullTest, AtLeastWaitsForTheOtherShards) {
  Start(PullSelector::AtLeast(Version(7)));
  shards_[0].AnswerPull(Version(8));
  shards_[1].FailPull(absl::DeadlineExceededError("not yet"));
  EXPECT_EQ(asked(1).value, 8);
  shards_[1].AnswerPull(Version(8));
  ExpectWhole(Version(8));
}

TEST_F(ShardedPullTest, AShardThatIsAwayIsTriedAgainLater) {
  Start(PullSelector::Exactly(Version(1)));
  shards_[1].AnswerPull(Version(1));
  shards_[0].FailPull(absl::UnavailableError("connection refused"));
  EXPECT_TRUE(shards_[0].pulls.empty());
  timer_.RunNext();
  shards_[0].AnswerPull(Version(1));
  ExpectWhole(Version(1));
}

TEST_F(ShardedPullTest, AnErrorNamesTheShardAndComesAfterAllCallsAreOver) {
  Start(PullSelector::Exactly(Version(1)));
  shards_[1].FailPull(absl::OutOfRangeError("retained 4 to 6"));
  EXPECT_FALSE(answer_.has_value());
  shards_[0].AnswerPull(Version(1));
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kOutOfRange);
  EXPECT_THAT(answer_->status().message(), HasSubstr("version 1 from shard 1 at shard.test:1"));
}

TEST_F(ShardedPullTest, ShardsOfTwoLineagesAreNoVersion) {
  Start(PullSelector::Latest());
  shards_[0].AnswerPull(Version(4));
  shards_[1].lineage = Lineage(2);
  shards_[1].AnswerPull(Version(4));
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->status().code(), absl::StatusCode::kUnavailable);
}

TEST_F(ShardedPullTest, AnImpatientPullEndsAtTheFirstFailureInTheCallersWords) {
  PullOptions options;
  options.backoff.budget = absl::ZeroDuration();
  options.timeout = options.long_poll = absl::Seconds(10);
  options.describe = [](uint32_t shard, const PullSelector& selector, const absl::Status& status) {
    return absl::Status(status.code(),
                        absl::StrCat(shard, "|", selector.ToString(), "|", status.message()));
  };
  Make(options);
  const auto expect = [&](const absl::Status& status) {
    ASSERT_TRUE(answer_.has_value());
    EXPECT_EQ(answer_->status(), status);
    answer_.reset();
  };
  Start(PullSelector::Latest());
  EXPECT_LE(shards_[0].pulls.front().timeout, absl::Seconds(10));
  shards_[0].FailPull(absl::UnavailableError("refused"));
  expect(absl::UnavailableError("0|the latest version|refused"));
  Start(PullSelector::Latest());
  shards_[0].AnswerPull(Version(4));
  shards_[1].FailPull(absl::UnavailableError("refused"));
  expect(absl::UnavailableError("1|version 4|refused"));
  Start(PullSelector::Exactly(Version(5)));
  shards_[1].AnswerPull(Version(5));
  shards_[0].FailPull(absl::DeadlineExceededError("late"));
  expect(absl::DeadlineExceededError("0|version 5|late"));
}

TEST_F(ShardedPullTest, ADeadlineLeavesTimeForTheBytes) {
  EXPECT_GE(TransferAllowance(uint64_t{1} << 30), absl::Minutes(2));
  Start(PullSelector::Exactly(Version(1)));
  EXPECT_EQ(shards_[0].pulls.front().timeout,
            PullOptions().long_poll + TransferAllowance(layout_->arena_size(0) * sizeof(float)));
}

}  // namespace
}  // namespace conadv
