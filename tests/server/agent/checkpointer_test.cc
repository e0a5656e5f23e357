// SPDX-License-Identifier: Apache-2.0
// What a shard writes, and keeps.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <string>
#include <vector>

#include "tests/server/agent/checkpointer_fixture.h"
#include "tests/server/checkpoint/checkpoint_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

// What another lineage of the same run made later may still be all that another shard has.
// As after a disk of another run was attached between the look and the restore.
TEST_F(CheckpointerTest, OnlyTheNewestAreKeptAndTheInitialOne) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  for (uint64_t version = 1; version <= 5; ++version) {
    life.checkpointer.Arm(Version(version), {});
    Steps(life, version - 1, version);
    life.checkpointer.Flush();
  }
  EXPECT_THAT(life.Complete(), ElementsAre(5, 4, 0));
}

TEST_F(CheckpointerTest, WhatOneTakesAndWhatTheDiskHasLeftIsKnown) {
  Life life(directory_.path(), Consistency::kSync);
  EXPECT_EQ(life.checkpointer.state().room.checkpoint_bytes, 0U);
  life.Begin();
  life.checkpointer.Flush();
  const uint64_t arena_bytes = life.shard.run()->layout.arena_size(0) * sizeof(float);
  const CheckpointRoom room = life.checkpointer.state().room;
  EXPECT_GT(room.checkpoint_bytes, 3 * arena_bytes) << "the weights and AdamW's two";
  EXPECT_GT(room.free_bytes, room.checkpoint_bytes);
}

TEST_F(CheckpointerTest, EveryCheckpointIsWrittenFromTheMemoryOfTheOneBefore) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  life.checkpointer.Flush();
  const uint64_t state_bytes = life.checkpointer.state().copied_bytes;
  const uint64_t arena_bytes = life.shard.run()->layout.arena_size(0) * sizeof(float);
  EXPECT_EQ(state_bytes, 2 * arena_bytes) << "AdamW has two";
  uint64_t most = 0;
  for (uint64_t version = 1; version < kSteps; ++version) {
    life.checkpointer.Arm(Version(version), {});
    Steps(life, version - 1, version);
    life.checkpointer.Flush();
    EXPECT_EQ(life.checkpointer.state().copied_bytes, state_bytes) << version;
    if (version <= 6) most = std::max(most, life.shard.memory().now_bytes);
    EXPECT_LE(life.shard.memory().now_bytes, most) << version;
  }
  EXPECT_LE(most + state_bytes, life.shard.memory().limit_bytes);
}

TEST_F(CheckpointerTest, WhatEveryShardHasIsKeptBesideTheNewest) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  for (uint64_t version = 1; version <= 5; ++version) {
    // Another shard's disk is full from version 3 on.
    life.checkpointer.Arm(Version(version), {Version(1), Version(2)});
    Steps(life, version - 1, version);
    life.checkpointer.Flush();
  }
  EXPECT_THAT(life.Complete(), ElementsAre(5, 4, 2, 1, 0));
}

TEST_F(CheckpointerTest, AVersionThatHasPassedIsMissedAndAFullDiskIsTold) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  Steps(life, 0, 2);
  life.checkpointer.Flush();
  life.outcomes.clear();
  life.checkpointer.Arm(Version(1), {});
  life.checkpointer.Flush();
  ASSERT_EQ(life.outcomes.size(), 1U);
  EXPECT_TRUE(life.outcomes[0].missed);

  // A file where the directory of version 3 has to be.
  WriteFile(directory_ / "000000000003", "in the way");
  life.checkpointer.Arm(Version(3), {});
  Steps(life, 2, 4);
  life.checkpointer.Flush();
  ASSERT_EQ(life.outcomes.size(), 2U);
  EXPECT_FALSE(life.outcomes[1].status.ok());
  EXPECT_FALSE(life.checkpointer.state().error.ok());
  EXPECT_EQ(life.shard.snapshots().Latest()->version, Version(4)) << "training goes on";
}

// Whoever stops a run that stands still saves what is there.
TEST_F(CheckpointerTest, TheNewestVersionIsWrittenWhenItIsAskedForAfterwards) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  Steps(life, 0, 3);
  life.checkpointer.Flush();
  life.outcomes.clear();
  ASSERT_TRUE(life.checkpointer.Arm(Version(3), {}));
  life.shard.VisitAtRest(Version(3), [&life](const Publication& publication) {
    life.checkpointer.OnPublished(publication);
  });
  while (life.pool.RunOne()) {
  }
  EXPECT_THAT(life.Complete(), ElementsAre(3, 0));
  ASSERT_EQ(life.outcomes.size(), 1U);
  EXPECT_FALSE(life.checkpointer.Arm(Version(3), {})) << "it is there";
  life.checkpointer.Flush();
  ASSERT_EQ(life.outcomes.size(), 2U);
  EXPECT_FALSE(life.outcomes[1].missed);
  Steps(life, 3, 4);
  EXPECT_EQ(life.shard.snapshots().Latest()->version, Version(4));
}

TEST_F(CheckpointerTest, AVersionThatPassesWhileItIsAskedForIsMissed) {
  Life life(directory_.path(), Consistency::kSync);
  life.Begin();
  Steps(life, 0, 2);
  life.checkpointer.Flush();
  life.outcomes.clear();
  ASSERT_TRUE(life.checkpointer.Arm(Version(2), {}));
  Steps(life, 2, 3);
  life.checkpointer.Flush();
  ASSERT_EQ(life.outcomes.size(), 1U);
  EXPECT_EQ(life.outcomes[0].version, Version(2));
  EXPECT_TRUE(life.outcomes[0].missed);
}

TEST_F(CheckpointerTest, ADiskThatHangsHoldsNeitherTrainingNorItsEnd) {
  Gate hanging;
  FailingFileSystem files(std::numeric_limits<int>::max());
  files.hangs = &hanging;
  Life life(directory_.path(), Consistency::kSync, "", files, absl::ZeroDuration());
  life.Begin();  // version 0 is being written
  Steps(life, 0, kSteps);
  EXPECT_EQ(life.shard.snapshots().Latest()->version, Version(kSteps));
  ASSERT_EQ(life.outcomes.size(), 1U);
  EXPECT_EQ(life.outcomes[0].version, Version(kSteps));
  EXPECT_TRUE(absl::IsDeadlineExceeded(life.outcomes[0].status));
  EXPECT_FALSE(life.checkpointer.Flush(absl::ZeroDuration()));
  hanging.Open();
  EXPECT_TRUE(life.checkpointer.Flush());
  EXPECT_THAT(life.Complete(), ElementsAre(0));
}

}  // namespace
}  // namespace conadv
