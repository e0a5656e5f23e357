// SPDX-License-Identifier: Apache-2.0
#include "server/checkpoint/checkpoint.h"

#include <algorithm>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/server/checkpoint/checkpoint_fixture.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

const char* const kFiles[] = {kWeightsFile, kOptimizerFile, kManifestFile};

class CheckpointTest : public CheckpointFixture {};

TEST_F(CheckpointTest, ReadReturnsWhatWasWritten) {
  ASSERT_TRUE(Write(7).ok());
  const auto restored = ReadCheckpoint(FileSystem::Real(), Owner(), Version(7));
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->id,
            (CheckpointId{Version(7), Lineage(7), Lineage(8), LedgerDigest(7, {9, 12}),
                          JobDigest(restored->job, restored->plan), layout_.hash()}));
  EXPECT_EQ(restored->plan, std::string("\0\xff plan", 7));
  EXPECT_EQ(restored->job, "name: \"tést\"\n");
  ASSERT_EQ(restored->states.size(), 1);
  EXPECT_EQ(restored->states[0].name, "momentum");
  EXPECT_EQ(restored->states[0].values, absl::MakeConstSpan(ArenaOf(kShard, 7, 0.5F)));
  ASSERT_EQ(restored->older.size(), 1);
  EXPECT_EQ(restored->older[0].version, Version(1007));
  EXPECT_EQ(restored->older[0].weights, absl::MakeConstSpan(ArenaOf(kShard, 7, 0.75F)));
  EXPECT_EQ(NewestUsable(), 7);
}

TEST_F(CheckpointTest, EveryShardRestoresItsOwnTensors) {
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    ASSERT_TRUE(Write(3, FileSystem::Real(), shard).ok());
  }
  for (uint32_t shard = 0; shard < kShards; ++shard) {
    const auto restored = ReadCheckpoint(FileSystem::Real(), Owner(shard), Version(3));
    ASSERT_TRUE(restored.ok()) << restored.status();
    std::vector<float> arena(layout_.arena_size(shard), -1);
    ASSERT_TRUE(PlaceWeights(*restored, layout_, shard, absl::MakeSpan(arena)).ok());
    EXPECT_EQ(arena, ArenaOf(shard, 3, 0.25F));
  }
}

TEST_F(CheckpointTest, WeightsFileHasNamesShapesAndSaysWhatItIs) {
  ASSERT_TRUE(Write(7).ok());
  const auto file = DecodeSafetensors(ReadFile(Path(7, kWeightsFile)));
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->tensors.size(), layout_.tensors_of(kShard).size());
  for (size_t i = 0; i < file->tensors.size(); ++i) {
    const TensorSpec& tensor = layout_.placements()[layout_.tensors_of(kShard)[i]].tensor;
    EXPECT_EQ(file->tensors[i].name, tensor.name);
    EXPECT_EQ(file->tensors[i].shape, tensor.shape);
  }
  EXPECT_THAT(file->metadata, UnorderedElementsAre(Pair("version", "7"), Pair("shard", "1"),
                                                   Pair("shards", "2"), Pair("job", "test"),
                                                   Pair("layout_hash", ::testing::SizeIs(16))));
}

TEST_F(CheckpointTest, LiesWhereThePathSays) {
  ASSERT_TRUE(Write(7).ok());
  for (const char* file : kFiles) {
    EXPECT_TRUE(
        FileSystem::Real().Exists(directory_ / "checkpoints/000000000007/shard-1-of-2/" + file));
  }
}

TEST_F(CheckpointTest, NoneIsNotFound) {
  const auto restored = ReadCheckpoint(FileSystem::Real(), Owner(), Version(7));
  EXPECT_EQ(restored.status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(NewestUsable(), UINT64_MAX);
}

TEST_F(CheckpointTest, ANewOneTakesThePlaceOfTheOldOfThatVersion) {
  ASSERT_TRUE(Write(7).ok());
  WriteFile(Path(7, "left-over"), "x");
  ASSERT_TRUE(Write(7).ok());
  EXPECT_EQ(NewestUsable(), 7);
  EXPECT_FALSE(FileSystem::Real().Exists(Path(7, "left-over")));
}

TEST_F(CheckpointTest, AMissingFileIsFoundAndTheOneBeforeUsed) {
  for (const char* file : kFiles) {
    ASSERT_TRUE(Write(6).ok());
    ASSERT_TRUE(Write(7).ok());
    ASSERT_TRUE(FileSystem::Real().Remove(Path(7, file)).ok());
    EXPECT_THAT(Complete(), ElementsAre(6)) << file;
    EXPECT_EQ(NewestUsable(), 6) << file;
    ASSERT_EQ(damaged_.size(), 1);
    EXPECT_THAT(std::string(damaged_[0].message()), HasSubstr(Path(7, file)));
  }
}

TEST_F(CheckpointTest, ATruncatedFileIsFoundAndTheOneBeforeUsed) {
  ASSERT_TRUE(Write(6).ok());
  for (const char* file : kFiles) {
    ASSERT_TRUE(Write(7).ok());
    const std::string whole = ReadFile(Path(7, file));
    for (const size_t size : {size_t{0}, size_t{1}, whole.size() / 2, whole.size() - 4}) {
      WriteFile(Path(7, file), whole.substr(0, size));
      EXPECT_THAT(Complete(), ElementsAre(6)) << file;
      EXPECT_EQ(NewestUsable(), 6) << file << " of " << size;
      ASSERT_EQ(damaged_.size(), 1);
      EXPECT_EQ(damaged_[0].code(), absl::StatusCode::kDataLoss);
      EXPECT_THAT(std::string(damaged_[0].message()), HasSubstr(Path(7, file)));
    }
  }
}

TEST_F(CheckpointTest, AFlippedBitInAnyByteIsFoundAndTheOneBeforeUsed) {
  ASSERT_TRUE(Write(6).ok());
  ASSERT_TRUE(Write(7).ok());
  for (const char* file : {kWeightsFile, kOptimizerFile}) {
    const std::string whole = ReadFile(Path(7, file));
    for (size_t byte = 0; byte < whole.size(); ++byte) {
      std::string flipped = whole;
      flipped[byte] = static_cast<char>(flipped[byte] ^ (1 << byte % 8));
      WriteFile(Path(7, file), flipped);
      ASSERT_EQ(NewestUsable(), 6) << file << " at " << byte;
      ASSERT_THAT(std::string(damaged_[0].message()), HasSubstr(Path(7, file)));
    }
    WriteFile(Path(7, file), whole);
  }
  EXPECT_EQ(NewestUsable(), 7);
}

// A flip that changes nothing that is read, as in white space, does no harm.
TEST_F(CheckpointTest, EveryFlippedBitOfTheManifestIsFoundOrHarmless) {
  ASSERT_TRUE(Write(6).ok());
  ASSERT_TRUE(Write(7).ok());
  const std::string whole = ReadFile(Path(7, kManifestFile));
  const CheckpointId whole_id = ReadCheckpoint(FileSystem::Real(), Owner(), Version(7))->id;
  size_t found = 0;
  for (size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << bit % 8));
    WriteFile(Path(7, kManifestFile), flipped);
    const auto restored = ReadCheckpoint(FileSystem::Real(), Owner(), Version(7));
    if (restored.ok()) {
      ASSERT_EQ(restored->id, whole_id);
      ASSERT_EQ(restored->plan, std::string("\0\xff plan", 7));
      ASSERT_EQ(restored->job, "name: \"tést\"\n");
    } else {
      ASSERT_EQ(restored.status().code(), absl::StatusCode::kDataLoss);
      ++found;
    }
  }
  EXPECT_GT(found, 7 * whole.size());
}

TEST_F(CheckpointTest, ACheckpointInAnotherVersionsPlaceIsDamaged) {
  ASSERT_TRUE(Write(6).ok());
  ASSERT_TRUE(Write(7).ok());
  for (const char* file : kFiles) WriteFile(Path(7, file), ReadFile(Path(6, file)));
  EXPECT_EQ(ReadCheckpoint(FileSystem::Real(), Owner(), Version(7)).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST_F(CheckpointTest, AFullDiskLeavesTheOneBeforeAndNothingOfTheNew) {
  for (int write = 0; write < 3; ++write) {
    ASSERT_TRUE(Write(6).ok());
    const absl::Status status = Write(7, FailingFileSystem(write));
    EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(Complete(), ElementsAre(6));
    EXPECT_EQ(NewestUsable(), 6);
    EXPECT_FALSE(FileSystem::Real().Exists(ShardPath(Owner(), Version(7))));
  }
  EXPECT_TRUE(Write(7, FailingFileSystem(3)).ok());
  EXPECT_EQ(NewestUsable(), 7);
}

TEST_F(CheckpointTest, ACrashAtAnyWriteLeavesTheOneBeforeAndIsWrittenOver) {
  ASSERT_TRUE(Write(6).ok());
  for (int write = 0; write < 3; ++write) {
    ASSERT_FALSE(Write(7, FailingFileSystem(write, /*dies=*/true)).ok());
    EXPECT_THAT(Complete(), ElementsAre(6));
    EXPECT_EQ(NewestUsable(), 6);
  }
  ASSERT_TRUE(Write(7).ok());
  EXPECT_EQ(NewestUsable(), 7);
}

// Over a complete checkpoint: its manifest must not vouch for files that are half the new one's.
TEST_F(CheckpointTest, ACrashWhileWritingOverOneLeavesNoMixture) {
  for (int write = 0; write < 3; ++write) {
    ASSERT_TRUE(Write(6).ok());
    ASSERT_TRUE(Write(7).ok());
    ASSERT_FALSE(Write(7, FailingFileSystem(write, /*dies=*/true)).ok());
    EXPECT_THAT(Complete(), ElementsAre(6));
  }
}

TEST_F(CheckpointTest, WeightsOfAnotherLayoutAreRefused) {
  ASSERT_TRUE(Write(7).ok());
  const auto restored = ReadCheckpoint(FileSystem::Real(), Owner(), Version(7)).value();
  const Layout other = Layout::Create({{"a", {3}, TensorKind::kWeight, Branch::kShared, 0},
                                       {"b", {3}, TensorKind::kWeight, Branch::kShared, 0}},
                                      kShards)
                           .value();
  std::vector<float> arena(other.arena_size(kShard));
  EXPECT_EQ(PlaceWeights(restored, other, kShard, absl::MakeSpan(arena)).code(),
            absl::StatusCode::kFailedPrecondition);
}

}  // namespace
}  // namespace conadv
