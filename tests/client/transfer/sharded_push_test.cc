// SPDX-License-Identifier: Apache-2.0
#include "client/transfer/sharded_push.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <deque>
#include <optional>

#include "absl/time/clock.h"
#include "common/wire/chunk.h"
#include "tests/client/transfer/fake_shard.h"
#include "tests/support/manual_timer.h"
#include "tests/support/streams.h"
#include "worker/statistics/statistics.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

class ShardedPushTest : public ::testing::Test {
 protected:
  ShardedPushTest() {
    TensorSpec main{"main", {32}}, auxiliary{"auxiliary", {32}};
    main.branch = Branch::kMain;
    auxiliary.branch = Branch::kAuxiliary;
    layout_ = std::make_shared<const Layout>(
        *Layout::Create({main, {"shared", {16}}, {"other", {16}}, auxiliary}, 2));
    push_.emplace(layout_, CleanAndAdversarial(),
                  std::vector<ParameterClient*>{&shards_[0], &shards_[1]}, &timer_, &statistics_,
                  PushOptions());
    gradients_ = std::make_shared<Arena>(layout_->total_size());
  }

  void Start(StreamIndex stream) {
    Contribution header;
    header.stream = stream;
    push_->Push(header, gradients_, [this](const absl::Status& status) { answer_ = status; });
  }

  std::shared_ptr<OpenPush> Open() {
    Contribution header;
    header.stream = kCleanStream;
    return push_->Open(header, gradients_, absl::Now(),
                       [this](const absl::Status& status) { answer_ = status; });
  }
  size_t PlacementOf(absl::string_view name) {
    const auto& placements = layout_->placements();
    return static_cast<size_t>(
        std::find_if(placements.begin(), placements.end(),
                     [&](const Placement& place) { return place.tensor.name == name; }) -
        placements.begin());
  }

  std::shared_ptr<const Layout> layout_;
  FakeShard shards_[2];
  ManualTimer timer_;
  WorkerStatistics statistics_;
  std::optional<ShardedPush> push_;
  std::shared_ptr<Arena> gradients_;
  std::optional<absl::Status> answer_;
};

TEST_F(ShardedPushTest, EachShardGetsItsRangeOfTheStream) {
  for (const StreamIndex stream : {kCleanStream, kAdversarialStream}) {
    Start(stream);
    for (uint32_t shard = 0; shard < 2; ++shard) {
      const PushContent& content = shards_[shard].pushes.back().content;
      EXPECT_EQ(content.range, RangeOf(*layout_, shard, CleanAndAdversarial()[stream.value()]));
      EXPECT_EQ(content.arena_begin, layout_->arena_begin(shard));
      EXPECT_EQ(content.arena, gradients_);
    }
  }
}

TEST_F(ShardedPushTest, DoneMeansThatEveryShardHasIt) {
  Start(kCleanStream);
  shards_[1].AnswerPush(PushReply{PushOutcome::kDuplicate, Version(1), {}});
  EXPECT_FALSE(answer_.has_value());
  shards_[0].AnswerPush(PushReply{});
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(answer_->ok());
  uint64_t bytes = 0;
  for (uint32_t shard = 0; shard < 2; ++shard) {
    bytes += layout_->branch_range(shard, Branch::kMain).size() * sizeof(float);
  }
  EXPECT_EQ(statistics_.totals().pushed_bytes.network, bytes);
}

TEST_F(ShardedPushTest, TheGradientsAreLetGoOfBeforeDone) {
  Start(kCleanStream);
  EXPECT_GT(gradients_.use_count(), 1);
  shards_[0].AnswerPush(PushReply{});
  shards_[1].AnswerPush(PushReply{});
  EXPECT_EQ(gradients_.use_count(), 1);
}

TEST_F(ShardedPushTest, AShardThatIsAwayIsTriedAgainAndTheOthersAreNot) {
  Start(kCleanStream);
  shards_[0].AnswerPush(PushReply{});
  shards_[1].AnswerPush(absl::UnavailableError("connection reset"));
  EXPECT_FALSE(answer_.has_value());
  timer_.RunNext();
  EXPECT_TRUE(shards_[0].pushes.empty());
  shards_[1].AnswerPush(PushReply{});
  EXPECT_EQ(answer_, absl::OkStatus());
}

TEST_F(ShardedPushTest, AClientThatTakesOnlyWholePushesGetsThemAtTheEnd) {
  const auto open = Open();
  for (size_t i = 0; i + 1 < layout_->placements().size(); ++i) {
    if (layout_->placements()[i].tensor.name != "main") open->Ready(i);
  }
  EXPECT_TRUE(shards_[layout_->placements()[PlacementOf("main")].shard].pushes.empty());
  open->Finish();
  for (const FakeShard& shard : shards_) EXPECT_EQ(shard.pushes.size(), 1U);
}

TEST_F(ShardedPushTest, AnAbandonedPushIsCancelledAndAsksNobody) {
  const auto open = Open();
  open->Abandon();
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(absl::IsCancelled(*answer_));
  EXPECT_TRUE(shards_[0].pushes.empty());
  EXPECT_TRUE(shards_[1].pushes.empty());
  EXPECT_EQ(gradients_.use_count(), 1);
}

// One shard, and two chunks and a bit of gradients.
class OpenPushTest : public ShardedPushTest {
 protected:
  static constexpr size_t kChunk = kChunkBytes / sizeof(float);

  OpenPushTest() {
    layout_ = std::make_shared<const Layout>(
        *Layout::Create({{"first", {kChunk}}, {"last", {kChunk + 16}}}, 1));
    gradients_ = std::make_shared<Arena>(layout_->total_size());
    shards_[0].gradually = true;
    push_.emplace(layout_, GradientStreams{{"clean"}}, std::vector<ParameterClient*>{&shards_[0]},
                  &timer_, &statistics_, PushOptions());
  }
  std::deque<FakeShard::PushCall>& calls() { return shards_[0].pushes; }
};

TEST_F(OpenPushTest, BeginsWithTheFirstChunkAndIsWholeAtItsEnd) {
  const auto open = Open();
  EXPECT_TRUE(calls().empty());
  open->Ready(PlacementOf("last"));
  ASSERT_EQ(calls().size(), 1U);
  const std::shared_ptr<ReadyChunks> ready = calls().front().content.ready;
  open->Ready(PlacementOf("first"));
  EXPECT_FALSE(ready->whole());
  open->Finish();
  EXPECT_TRUE(ready->whole());
  shards_[0].AnswerPush(PushReply{});
  EXPECT_EQ(answer_, absl::OkStatus());
}

TEST_F(OpenPushTest, MayBeAnsweredBeforeItsEnd) {
  const auto open = Open();
  open->Ready(PlacementOf("last"));
  shards_[0].AnswerPush(PushReply{PushOutcome::kDuplicate, {}, {}});
  EXPECT_EQ(answer_, absl::OkStatus());
  open->Ready(PlacementOf("first"));
  open->Finish();
  EXPECT_TRUE(calls().empty());
}

TEST_F(OpenPushTest, SentAwayItComesAgainOnceItIsWholeHoweverLongThatTakes) {
  const auto open = Open();
  open->Ready(PlacementOf("last"));
  shards_[0].AnswerPush(absl::UnavailableError("idle, and others waited"));
  timer_.RunNext();
  EXPECT_TRUE(calls().empty());
  EXPECT_FALSE(answer_.has_value());
  open->Finish();
  ASSERT_EQ(calls().size(), 1U);
  shards_[0].AnswerPush(PushReply{});
  EXPECT_EQ(answer_, absl::OkStatus());
}

TEST_F(OpenPushTest, GivenUpWhileItWaitsToComeAgainItIsCancelled) {
  const auto open = Open();
  open->Ready(PlacementOf("last"));
  shards_[0].AnswerPush(absl::UnavailableError("gone"));
  open->Abandon();
  timer_.RunNext();
  EXPECT_TRUE(calls().empty());
  ASSERT_TRUE(answer_.has_value());
  EXPECT_TRUE(absl::IsCancelled(*answer_));
}

TEST_F(ShardedPushTest, ARefusalNamesTheShardAndIsNotTriedAgain) {
  Start(kAdversarialStream);
  shards_[1].AnswerPush(absl::InvalidArgumentError("tensor shared: not finite"));
  shards_[0].AnswerPush(PushReply{});
  ASSERT_TRUE(answer_.has_value());
  EXPECT_EQ(answer_->code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(answer_->message(), HasSubstr("push to shard 1 at shard.test:1: tensor shared"));
  EXPECT_EQ(timer_.pending(), 0U);
}

TEST_F(ShardedPushTest, InitialWeightsAreEachShardsWholeArena) {
  push_->PushInitialWeights(std::make_shared<const Plan>(), gradients_,
                            [this](const absl::Status& status) { answer_ = status; });
  for (uint32_t shard = 0; shard < 2; ++shard) {
    EXPECT_EQ(shards_[shard].pushes.back().content.range, (Range{0, layout_->arena_size(shard)}));
  }
}

}  // namespace
}  // namespace conadv
