// SPDX-License-Identifier: Apache-2.0
#include "server/clip/norm_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace conadv {
namespace {

using ::testing::HasSubstr;

// Eight tensors of rising size, and for each a square that sums differently in another order.
Layout SomeLayout(uint32_t shards) {
  std::vector<TensorSpec> tensors;
  for (uint64_t t = 0; t < 8; ++t) tensors.push_back({std::string(1, 'a' + t), {t + 1}});
  return *Layout::Create(tensors, shards);
}

std::vector<double> SquaresOf(const Layout& layout, uint32_t shard) {
  std::vector<double> squares;
  for (const size_t index : layout.tensors_of(shard)) {
    squares.push_back(std::pow(10, 16 - 3 * (static_cast<double>(index % 3))) / 3);
  }
  return squares;
}

class NormTableTest : public ::testing::Test {
 protected:
  NormExchange::Callback To(absl::StatusOr<double>* answer) {
    *answer = absl::UnknownError("no answer yet");
    return [answer](const absl::StatusOr<double>& norm) { *answer = norm; };
  }
  ShardNorms Of(uint64_t version, uint32_t shard) {
    return {Version(version), SquaresOf(layout_, shard)};
  }

  Layout layout_ = SomeLayout(3);
  NormTable table_;
  absl::StatusOr<double> answers_[4];
};

TEST(NormOf, IsTheSameBitsForAnyNumberOfShards) {
  std::vector<double> norms;
  for (uint32_t shards = 1; shards <= 8; ++shards) {
    const Layout layout = SomeLayout(shards);
    std::vector<std::vector<double>> squares;
    for (uint32_t shard = 0; shard < shards; ++shard) squares.push_back(SquaresOf(layout, shard));
    norms.push_back(NormOf(layout, squares));
    EXPECT_EQ(norms.back(), norms.front()) << shards;
  }
  EXPECT_NEAR(norms[0] / std::sqrt(1e16 + 1e13 + 2e10 / 3), 1, 1e-9);
}

TEST_F(NormTableTest, AnswersAllOnceTheLastHasTold) {
  table_.Offer(layout_, 2, Of(7, 2), To(&answers_[2]));
  table_.Combine(layout_, Of(7, 0), To(&answers_[0]));
  EXPECT_FALSE(answers_[0].ok());
  EXPECT_FALSE(answers_[2].ok());
  table_.Offer(layout_, 1, Of(7, 1), To(&answers_[1]));
  const double norm =
      NormOf(layout_, {SquaresOf(layout_, 0), SquaresOf(layout_, 1), SquaresOf(layout_, 2)});
  for (int shard = 0; shard < 3; ++shard) EXPECT_EQ(*answers_[shard], norm);
}

TEST_F(NormTableTest, AShardMayBeOneUpdateAheadOfShardZero) {
  for (uint64_t version = 1; version < 4; ++version) {
    table_.Offer(layout_, 1, Of(version, 1), To(&answers_[1]));
    table_.Combine(layout_, Of(version, 0), To(&answers_[0]));
    table_.Offer(layout_, 2, Of(version, 2), To(&answers_[2]));
    for (int shard = 0; shard < 3; ++shard)
      EXPECT_TRUE(answers_[shard].ok()) << answers_[shard].status();
  }
  table_.Offer(layout_, 1, Of(5, 1), To(&answers_[1]));
  EXPECT_TRUE(absl::IsFailedPrecondition(answers_[1].status()));
  EXPECT_THAT(std::string(answers_[1].status().message()), HasSubstr("4 is under way, got 5"));
}

TEST_F(NormTableTest, WhoAsksAgainGetsTheSameAnswerAndTheCallBeforeEnds) {
  table_.Offer(layout_, 1, Of(1, 1), To(&answers_[3]));
  table_.Offer(layout_, 1, Of(1, 1), To(&answers_[1]));
  EXPECT_TRUE(absl::IsAborted(answers_[3].status()));
  table_.Offer(layout_, 2, Of(1, 2), To(&answers_[2]));
  table_.Combine(layout_, Of(1, 0), To(&answers_[0]));
  ASSERT_TRUE(answers_[1].ok());
  // An answer that got lost, after others have gone on.
  table_.Combine(layout_, Of(2, 0), To(&answers_[0]));
  table_.Offer(layout_, 1, Of(1, 1), To(&answers_[3]));
  EXPECT_EQ(*answers_[3], *answers_[1]);
}

TEST_F(NormTableTest, WhatIsNotAShardsSquaresIsRefusedAndChangesNothing) {
  const auto refused = [&](uint32_t shard, std::vector<double> squares) {
    table_.Offer(layout_, shard, {Version(1), std::move(squares)}, To(&answers_[3]));
    EXPECT_TRUE(absl::IsInvalidArgument(answers_[3].status()));
    return std::string(answers_[3].status().message());
  };
  EXPECT_THAT(refused(0, SquaresOf(layout_, 0)), HasSubstr("shard: must be 1 to 2, got 0"));
  EXPECT_THAT(refused(3, {}), HasSubstr("shard: must be 1 to 2, got 3"));
  EXPECT_THAT(refused(1, {1}), HasSubstr("squares: shard 1 has "));
  std::vector<double> negative = SquaresOf(layout_, 1);
  negative[0] = -1;
  EXPECT_THAT(refused(1, negative), HasSubstr("squares: must be ≥ 0, got -1 of tensor "));
  for (uint32_t shard = 1; shard < 3; ++shard) {
    table_.Offer(layout_, shard, Of(1, shard), To(&answers_[shard]));
  }
  table_.Combine(layout_, Of(1, 0), To(&answers_[0]));
  EXPECT_TRUE(answers_[1].ok()) << answers_[1].status();
}

// Told by somebody who may be mistaken, before shard 0 has come to speak.
TEST_F(NormTableTest, AVersionThatShardZeroIsNotAtHoldsNobodyUp) {
  table_.Offer(layout_, 1, Of(99, 1), To(&answers_[3]));
  table_.Combine(layout_, Of(1, 0), To(&answers_[0]));
  EXPECT_TRUE(absl::IsFailedPrecondition(answers_[3].status()));
  table_.Offer(layout_, 1, Of(1, 1), To(&answers_[1]));
  table_.Offer(layout_, 2, Of(1, 2), To(&answers_[2]));
  EXPECT_TRUE(answers_[0].ok());
}

TEST_F(NormTableTest, AfterItsEndWhoWaitsAndWhoComesHearsIt) {
  table_.Combine(layout_, Of(1, 0), To(&answers_[0]));
  table_.Close(absl::UnavailableError("this server is going away"));
  EXPECT_TRUE(absl::IsUnavailable(answers_[0].status()));
  table_.Offer(layout_, 1, Of(1, 1), To(&answers_[1]));
  EXPECT_TRUE(absl::IsUnavailable(answers_[1].status()));
}

TEST_F(NormTableTest, ShardsMayTellAtOnce) {
  std::vector<std::thread> shards;
  std::vector<double> norms[3];
  for (uint32_t shard = 0; shard < 3; ++shard) {
    shards.emplace_back([&, shard] {
      for (uint64_t version = 1; version <= 200; ++version) {
        ShardNorms own = Of(version, shard);
        own.squares[0] = static_cast<double>(version * (shard + 1));
        std::promise<double> told;
        const auto done = [&told](const absl::StatusOr<double>& norm) { told.set_value(*norm); };
        shard == 0 ? table_.Combine(layout_, std::move(own), done)
                   : table_.Offer(layout_, shard, std::move(own), done);
        norms[shard].push_back(told.get_future().get());
      }
    });
  }
  for (std::thread& shard : shards) shard.join();
  EXPECT_EQ(norms[0].size(), 200U);
  EXPECT_EQ(norms[0], norms[1]);
  EXPECT_EQ(norms[0], norms[2]);
}

}  // namespace
}  // namespace conadv
