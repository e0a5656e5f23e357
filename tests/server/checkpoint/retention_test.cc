// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/retention.h"

#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/checkpoint/checkpoint_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
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

// If it were taken for incomplete, the run would begin anew.
TEST_F(RetentionTest, ACheckpointThatCannotBeReadNowIsAnErrorAndStays) {
  for (const uint64_t version : {5, 10}) ASSERT_TRUE(Write(version).ok());
  FailingFileSystem files(0);
  files.unreadable = "10/shard-1-of-2/manifest.json";
  EXPECT_THAT(std::string(ScanCheckpoints(files, Owner(), AnyJob).status().message()),
              HasSubstr("Input/output error"));
  EXPECT_THAT(Complete(), ElementsAre(10, 5));
}

TEST_F(RetentionTest, CheckpointsOfAnotherNumberOfShardsAreNotOurs) {
  ASSERT_TRUE(Write(5).ok());
  CheckpointOwner other = Owner();
  other.shards = 3;
  EXPECT_THAT(ScanCheckpoints(FileSystem::Real(), other, AnyJob)->usable, IsEmpty());
}

TEST_F(RetentionTest, WhatIsDamagedOrOfAnotherJobIsRefusedWithItsReason) {
  for (const uint64_t version : {5, 10, 15, 20}) ASSERT_TRUE(Write(version).ok());
  WriteFile(Path(10, kManifestFile), "{}");
  WriteFile(Path(15, kWeightsFile), "short");
  for (const char* file : {kWeightsFile, kOptimizerFile, kManifestFile}) {
    WriteFile(Path(20, file), ReadFile(Path(5, file)));
  }
  const StoredCheckpoints stored = Scan();
  EXPECT_THAT(Complete(), ElementsAre(5));
  ASSERT_EQ(stored.refused.size(), 3U);
  EXPECT_THAT(stored.refused[0].reason, HasSubstr("its manifest is of version 5"));
  EXPECT_THAT(stored.refused[1].reason, HasSubstr("weights.safetensors has another size"));
  EXPECT_THAT(stored.refused[2].reason, HasSubstr("manifest.json lacks a field"));
  const auto other = [](absl::string_view) { return absl::FailedPreconditionError("tau: 1 -> 2"); };
  const auto foreign = ScanCheckpoints(FileSystem::Real(), Owner(), other);
  ASSERT_EQ(foreign->refused.size(), 4U);
  EXPECT_THAT(foreign->refused[3].reason, HasSubstr("tau: 1 -> 2"));
  EXPECT_THAT(foreign->usable, IsEmpty());
}

TEST_F(RetentionTest, AnInterruptedWriteIsTornAndNoCheckpoint) {
  ASSERT_TRUE(Write(5).ok());
  ASSERT_FALSE(Write(7, FailingFileSystem(2, /*dies=*/true)).ok());
  EXPECT_THAT(Scan().torn, ElementsAre(Version(7)));
  EXPECT_THAT(Complete(), ElementsAre(5));
}

TEST_F(RetentionTest, WhatIsSetAsideIsWholeAndSaysWhy) {
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(Write(5).ok());
    ASSERT_TRUE(Write(5, FileSystem::Real(), 0).ok());
    const std::string weights = ReadFile(Path(5, kWeightsFile));
    const auto path = SetAside(FileSystem::Real(), Owner(), Version(5), "a bit flipped");
    ASSERT_TRUE(path.ok()) << path.status();
    EXPECT_EQ(ReadFile(*path + "/" + kWeightsFile), weights);
    EXPECT_EQ(ReadFile(*path + "/reason.txt"), "a bit flipped\n");
  }
  EXPECT_THAT(Complete(), IsEmpty());
  EXPECT_THAT(Complete(0), ElementsAre(5)) << "other shards' stay";
  const StoredCheckpoints stored = Scan();
  ASSERT_EQ(stored.aside.size(), 2U);
  EXPECT_EQ(stored.aside[0].version, Version(5));
  EXPECT_THAT(stored.aside[0].reason, HasSubstr("a bit flipped"));
  EXPECT_THAT(Scan(0).aside, IsEmpty());
}

TEST_F(RetentionTest, RemovingLeavesOtherShardsAlone) {
  for (const uint64_t version : {5, 10}) {
    for (uint32_t shard = 0; shard < kShards; ++shard) {
      ASSERT_TRUE(Write(version, FileSystem::Real(), shard).ok());
    }
  }
  ASSERT_TRUE(RemoveCheckpoint(FileSystem::Real(), Owner(), Version(5)).ok());
  EXPECT_THAT(Complete(), ElementsAre(10));
  EXPECT_THAT(Complete(0), ElementsAre(10, 5));
  ASSERT_TRUE(RemoveCheckpoint(FileSystem::Real(), Owner(0), Version(5)).ok());
  EXPECT_FALSE(FileSystem::Real().Exists(VersionPath(Owner(), Version(5))));
}

constexpr Lineage kRun{1};
constexpr Lineage kNow{9};

CheckpointId Id(uint64_t version, Lineage lineage) {
  CheckpointId id;
  id.version = Version(version);
  id.run = kRun;
  id.lineage = lineage;
  return id;
}

TEST(SurplusTest, AllButTheNewestTheCommonOnesAndVersionZero) {
  const std::vector<CheckpointId> stored = {Id(0, kNow), Id(5, kNow), Id(10, kNow), Id(15, kNow),
                                            Id(20, kNow)};
  EXPECT_THAT(Surplus(stored, {2, {Version(5)}, kNow, Version(0)}), ElementsAre(Version(10)));
}

TEST(SurplusTest, WhatAnotherLineageMadeStaysUntilANewerCommonOneHasTakenItsPlace) {
  const Lineage before{8};
  // The run went back to 10; the lineage before had written 15 and 20 on this shard.
  std::vector<CheckpointId> stored = {Id(0, kRun), Id(5, kRun), Id(10, before), Id(15, before),
                                      Id(20, before)};
  EXPECT_THAT(Surplus(stored, {2, {Version(5), Version(10)}, kNow, Version(10)}), IsEmpty());
  stored.push_back(Id(16, kNow));
  EXPECT_THAT(Surplus(stored, {2, {Version(5), Version(10)}, kNow, Version(10)}), IsEmpty())
      << "16 is not common yet";
  EXPECT_THAT(Surplus(stored, {2, {Version(10), Version(16)}, kNow, Version(10)}),
              ElementsAre(Version(15), Version(5)));
  stored.push_back(Id(21, kNow));
  EXPECT_THAT(Surplus(stored, {2, {Version(16), Version(21)}, kNow, Version(10)}),
              ElementsAre(Version(20), Version(15), Version(10), Version(5)));
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
