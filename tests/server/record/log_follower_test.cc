// SPDX-License-Identifier: Apache-2.0
#include "server/record/log_follower.h"

#include <gtest/gtest.h>

#include <vector>

namespace conadv {
namespace {

class LogFollowerTest : public ::testing::Test {
 protected:
  bool Await() {
    return follower_.Await([this](const absl::StatusOr<WatchLog<int>::Entry>& entry) {
      if (!entry.ok()) {
        end_ = entry.status();
        return;
      }
      follower_.OnRecord(entry->index);
      records_.push_back(entry->record);
    });
  }

  WatchLog<int> log_{2};
  LogFollower<int> follower_{&log_, 0};
  std::vector<int> records_;
  absl::Status end_;
};

TEST_F(LogFollowerTest, RecordsComeInOrderThoseThatAreThereAndThoseThatWillBe) {
  log_.Append(10);
  EXPECT_FALSE(Await());
  EXPECT_FALSE(Await());
  EXPECT_EQ(records_, std::vector<int>({10}));
  log_.Append(11);
  EXPECT_EQ(records_, std::vector<int>({10, 11}));
}

TEST_F(LogFollowerTest, WhoFallsBehindGoesOnWithTheOldestThatIsKept) {
  for (const int record : {10, 11, 12}) log_.Append(record);
  EXPECT_FALSE(Await());
  EXPECT_EQ(records_, std::vector<int>({11}));
}

TEST_F(LogFollowerTest, AWaitThatIsGivenUpIsNeverAnswered) {
  EXPECT_FALSE(Await());
  EXPECT_TRUE(follower_.Cancel());
  EXPECT_FALSE(follower_.Cancel()) << "only one may end the call";
  log_.Append(10);
  EXPECT_TRUE(records_.empty());
}

TEST_F(LogFollowerTest, AWaitThatBeginsAfterItWasGivenUpEndsAtOnce) {
  EXPECT_FALSE(follower_.Cancel());
  EXPECT_TRUE(Await());
  log_.Append(10);
  EXPECT_TRUE(records_.empty());
}

TEST_F(LogFollowerTest, TheEndOfTheLogIsTold) {
  EXPECT_FALSE(Await());
  log_.Close(absl::OutOfRangeError("over"));
  EXPECT_TRUE(absl::IsOutOfRange(end_));
}

}  // namespace
}  // namespace conadv
