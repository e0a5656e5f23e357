// SPDX-License-Identifier: Apache-2.0
// A shard with checkpoints in a temporary directory, and a disk that fails when told to. Owned by
// one test.
#ifndef CONADV_TESTS_SERVER_CHECKPOINT_CHECKPOINT_FIXTURE_H_
#define CONADV_TESTS_SERVER_CHECKPOINT_CHECKPOINT_FIXTURE_H_

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "common/os/file.h"
#include "common/tensor/layout.h"
#include "gtest/gtest.h"
#include "server/checkpoint/checkpoint.h"
#include "server/checkpoint/retention.h"
#include "tests/support/gate.h"
#include "tests/support/temp_dir.h"

namespace conadv {

// The real disk, on which the n-th write (from 0) fails as on a full disk. If it is dead then, as
// after a crash of the process, nothing works from there on.
class FailingFileSystem final : public FileSystem {
 public:
  explicit FailingFileSystem(int failing_write, bool dies = false)
      : writes_left_(failing_write), dies_(dies) {}

  absl::StatusOr<std::string> Read(const std::string& path) const override {
    if (!unreadable.empty() && absl::StrContains(path, unreadable)) {
      return absl::UnknownError("cannot read " + path + ": Input/output error");
    }
    return real_.Read(path);
  }
  absl::StatusOr<uint64_t> Size(const std::string& path) const override { return real_.Size(path); }
  absl::Status WritePieces(const std::string& path,
                           const std::vector<absl::string_view>& pieces) const override {
    if (hangs != nullptr) hangs->Wait();
    if (writes_left_-- > 0) return real_.WritePieces(path, pieces);
    return absl::ResourceExhaustedError("cannot write " + path + ": No space left on device");
  }
  absl::Status WriteFrom(const std::string& path, uint64_t offset,
                         absl::string_view bytes) const override {
    return real_.WriteFrom(path, offset, bytes);
  }
  absl::Status MakeDirectories(const std::string& path) const override {
    return dead() ? absl::UnavailableError("dead") : real_.MakeDirectories(path);
  }
  absl::StatusOr<std::vector<std::string>> List(const std::string& path) const override {
    return real_.List(path);
  }
  absl::Status Remove(const std::string& path) const override {
    return dead() ? absl::UnavailableError("dead") : real_.Remove(path);
  }
  absl::Status RemoveIfEmpty(const std::string& path) const override {
    return dead() ? absl::UnavailableError("dead") : real_.RemoveIfEmpty(path);
  }
  absl::Status Rename(const std::string& from, const std::string& to) const override {
    return dead() ? absl::UnavailableError("dead") : real_.Rename(from, to);
  }
  bool Exists(const std::string& path) const override { return real_.Exists(path); }

  std::string unreadable;  // paths with this cannot be read
  Gate* hangs = nullptr;   // until it is opened, every write does

 private:
  bool dead() const { return dies_ && writes_left_ < 0; }

  const FileSystem& real_ = FileSystem::Real();
  mutable int writes_left_;
  const bool dies_;
};

class CheckpointFixture : public ::testing::Test {
 protected:
  static constexpr uint32_t kShard = 1;
  static constexpr uint32_t kShards = 2;

  CheckpointFixture()
      : layout_(Layout::Create({{"conv.weight", {3, 5}, TensorKind::kWeight, Branch::kShared, 0},
                                {"norm.bias", {17}, TensorKind::kNoDecay, Branch::kMain, 0},
                                {"norm.mean", {7}, TensorKind::kStatistic, Branch::kMain, 0.1F},
                                {"scale", {}, TensorKind::kWeight, Branch::kAuxiliary, 0}},
                               kShards)
                    .value()) {}

  CheckpointOwner Owner(uint32_t shard = kShard) const {
    return {directory_ / "checkpoints", shard, kShards};
  }

  // An arena whose values say which it is; padding is 0.
  std::vector<float> ArenaOf(uint32_t shard, uint64_t version, float kind) const {
    std::vector<float> arena(layout_.arena_size(shard));
    for (size_t i = 0; i < arena.size(); ++i) {
      if (layout_.Find(shard, i) == nullptr) continue;
      arena[i] = static_cast<float>(version) + kind + static_cast<float>(i) / 1024;
    }
    return arena;
  }

  absl::Status Write(uint64_t version, const FileSystem& files = FileSystem::Real(),
                     uint32_t shard = kShard) const {
    const std::vector<float> weights = ArenaOf(shard, version, 0.25F);
    const std::vector<float> momentum = ArenaOf(shard, version, 0.5F);
    const std::vector<float> older = ArenaOf(shard, version, 0.75F);
    ShardCheckpoint checkpoint;
    checkpoint.version = Version(version);
    checkpoint.run = Lineage(7);
    checkpoint.lineage = Lineage(8);
    checkpoint.weights = weights;
    checkpoint.states = {{"momentum", momentum}};
    checkpoint.older = {{Version(version + 1000), older}};
    checkpoint.applied_prefix = version;
    checkpoint.applied_ahead = {version + 2, version + 5};
    checkpoint.plan = std::string("\0\xff plan", 7);
    checkpoint.job = "name: \"tést\"\n";
    checkpoint.job_name = "test";
    return WriteCheckpoint(files, Owner(shard), checkpoint, layout_).status();
  }

  // The version of the newest usable checkpoint, whose contents must be that version's.
  uint64_t NewestUsable() {
    damaged_.clear();
    absl::StatusOr<RestoredCheckpoint> restored = absl::NotFoundError("none");
    const auto listed = FileSystem::Real().List(Owner().directory);
    const std::vector<std::string> names = listed.ok() ? *listed : std::vector<std::string>();
    for (auto name = names.rbegin(); name != names.rend(); ++name) {
      restored = ReadCheckpoint(FileSystem::Real(), Owner(), *ParseVersionName(*name));
      if (restored.ok()) break;
      damaged_.push_back(restored.status());
    }
    if (!restored.ok()) return UINT64_MAX;
    std::vector<float> arena(layout_.arena_size(kShard), -1);
    EXPECT_TRUE(PlaceWeights(*restored, layout_, kShard, absl::MakeSpan(arena)).ok());
    EXPECT_EQ(arena, ArenaOf(kShard, restored->id.version.value(), 0.25F));
    return restored->id.version.value();
  }

  static absl::Status AnyJob(absl::string_view) { return absl::OkStatus(); }
  StoredCheckpoints Scan(uint32_t shard = kShard) const {
    absl::StatusOr<StoredCheckpoints> stored =
        ScanCheckpoints(FileSystem::Real(), Owner(shard), AnyJob);
    EXPECT_TRUE(stored.ok()) << stored.status();
    return stored.ok() ? *std::move(stored) : StoredCheckpoints();
  }
  std::vector<uint64_t> Complete(uint32_t shard = kShard) const {
    std::vector<uint64_t> versions;
    for (const CheckpointId& id : Scan(shard).usable) versions.push_back(id.version.value());
    return versions;
  }

  std::string Path(uint64_t version, const std::string& file) const {
    return ShardPath(Owner(), Version(version)) + "/" + file;
  }

  TempDir directory_;
  Layout layout_;
  std::vector<absl::Status> damaged_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_CHECKPOINT_CHECKPOINT_FIXTURE_H_
