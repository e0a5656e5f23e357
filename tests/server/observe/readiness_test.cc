// SPDX-License-Identifier: Apache-2.0
// What probes are told.
#include "server/observe/readiness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(Readiness, AShardIsReadyOnceItServesWhatItsLineageBeganWith) {
  ReadinessState state;
  state.waits_for = "waiting for shards 1";
  EXPECT_FALSE(ReadinessOf(state).ready);
  EXPECT_THAT(ReadinessOf(state).reason, HasSubstr("(waiting for shards 1)"));
  // A checkpoint is read before anybody says whether the run goes on from it.
  state.newest = Version(40);
  EXPECT_FALSE(ReadinessOf(state).ready);
  state.lineage = Lineage(0xab);
  EXPECT_TRUE(ReadinessOf(state).ready);
  EXPECT_EQ(ReadinessOf(state).reason, "serves version 40 of lineage 00000000000000ab");
  state.newest.reset();
  EXPECT_FALSE(ReadinessOf(state).ready);
}

TEST(Readiness, ARunThatHasFailedIsNotReadyAndSaysWhy) {
  ReadinessState state{Lineage(1), Version(3), "", "shard 1 is gone"};
  EXPECT_FALSE(ReadinessOf(state).ready);
  EXPECT_THAT(ReadinessOf(state).reason, HasSubstr("shard 1 is gone"));
}

TEST(TaskWatch, OneAndTheSameTaskIsBusyForAsLongAsItIsSeen) {
  TaskWatch watch;
  const absl::Time begin = absl::UnixEpoch();
  EXPECT_EQ(watch.See(7, begin), absl::ZeroDuration());
  EXPECT_EQ(watch.See(7, begin + absl::Seconds(9)), absl::Seconds(9));
  EXPECT_EQ(watch.See(8, begin + absl::Seconds(10)), absl::ZeroDuration()) << "it gets on";
  EXPECT_EQ(watch.See(0, begin + absl::Seconds(30)), absl::ZeroDuration()) << "it is idle";
  EXPECT_EQ(watch.See(0, begin + absl::Seconds(60)), absl::ZeroDuration());
}

}  // namespace
}  // namespace conadv
