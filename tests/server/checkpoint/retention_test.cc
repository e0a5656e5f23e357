// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/retention.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/checkpoint/checkpoint_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RetentionTest : public CheckpointFixture {};

TEST_F(RetentionTest, NoDirectoryHasNoCheckpoints) { EXPECT_THAT(Complete(), IsEmpty()); }

TEST_F(RetentionTest, CompleteCheckpointsAreThisShardsNewestFirst) {
  for (const uint64_t version : {0, 5, 1000, 20}) ASSERT_TRUE(Write(version).ok());
  ASSERT_TRUE(Write(30, FileSystem::Real(), 0).ok());
  WriteFile(Owner().directory + "/notes.txt", "x");
  WriteFile(Owner().directory + "/77/shard-1-of-2/manifest.json", "x");
  EXPECT_THAT(Complete(), ElementsAre(1000, 20, 5, 0));
  EXPECT_THAT(Complete(0), ElementsAre(30));
}

// If it were taken for incomplete, the run would begin anew and remove it.
TEST_F(RetentionTest, ACheckpointThatCannotBeReadNowIsAnErrorAndStays) {
  for (const uint64_t version : {5, 10}) ASSERT_TRUE(Write(version).ok());
  FailingFileSystem files(0);
  files.unreadable = "10/shard-1-of-2/manifest.json";
  EXPECT_THAT(std::string(CompleteCheckpoints(files, Owner()).status().message()),
              ::testing::HasSubstr("Input/output error"));
  EXPECT_FALSE(PruneCheckpoints(files, Owner(), 1, {}).ok());
  EXPECT_THAT(Complete(), ElementsAre(10, 5));
}

TEST_F(RetentionTest, CheckpointsOfAnotherNumberOfShardsAreNotOurs) {
  ASSERT_TRUE(Write(5).ok());
  CheckpointOwner other = Owner();
  other.shards = 3;
  EXPECT_THAT(CompleteCheckpoints(FileSystem::Real(), other).value(), IsEmpty());
}

TEST_F(RetentionTest, PruneKeepsTheNewestAndVersionZero) {
  for (const uint64_t version : {0, 5, 10, 15}) ASSERT_TRUE(Write(version).ok());
  ASSERT_TRUE(PruneCheckpoints(FileSystem::Real(), Owner(), 2, {}).ok());
  EXPECT_THAT(Complete(), ElementsAre(15, 10, 0));
  EXPECT_FALSE(FileSystem::Real().Exists(VersionPath(Owner(), Version(5))));
}

TEST_F(RetentionTest, PruneRemovesHalfWrittenOnesAndDoesNotCountThem) {
  for (const uint64_t version : {5, 10}) ASSERT_TRUE(Write(version).ok());
  for (const uint64_t version : {7, 15}) {
    ASSERT_FALSE(Write(version, FailingFileSystem(2, /*dies=*/true)).ok());
  }
  ASSERT_TRUE(PruneCheckpoints(FileSystem::Real(), Owner(), 2, {}).ok());
  EXPECT_THAT(Complete(), ElementsAre(10, 5));
  EXPECT_THAT(FileSystem::Real().List(Owner().directory).value(),
              ElementsAre("000000000005", "000000000010"));
}

TEST_F(RetentionTest, PruneLeavesOtherShardsAlone) {
  for (const uint64_t version : {5, 10}) {
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      ASSERT_TRUE(Write(version, FileSystem::Real(), shard).ok());
    }
  }
  ASSERT_TRUE(PruneCheckpoints(FileSystem::Real(), Owner(), 1, {}).ok());
  EXPECT_THAT(Complete(), ElementsAre(10));
  EXPECT_THAT(Complete(0), ElementsAre(10, 5));
}

TEST_F(RetentionTest, GoingBackRemovesWhatCameAfter) {
  for (const uint64_t version : {0, 5, 10, 15}) ASSERT_TRUE(Write(version).ok());
  ASSERT_TRUE(RemoveCheckpointsAfter(FileSystem::Real(), Owner(), Version(5)).ok());
  EXPECT_THAT(Complete(), ElementsAre(5, 0));
}

TEST_F(RetentionTest, VersionNamesAreReadBackAndNothingElseIs) {
  for (const uint64_t version : {uint64_t{0}, uint64_t{123}, uint64_t{1234567890123}}) {
    const std::string path = VersionPath(Owner(), Version(version));
    EXPECT_EQ(ParseVersionName(path.substr(path.rfind('/') + 1)), Version(version));
  }
  for (const char* name : {"", "5", "00000000000x", "-00000000005", "0000000000005", "latest"}) {
    EXPECT_EQ(ParseVersionName(name), std::nullopt) << name;
  }
}

}  // namespace
}  // namespace conadv
