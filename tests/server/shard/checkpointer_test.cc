// SPDX-License-Identifier: Apache-2.0
// A shard with its checkpointer: what is written, and that a run goes on from it to the same bits.
#include "server/checkpointer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kSteps = 10;
constexpr Incarnation kNow{77};

Job SomeJob(Consistency consistency) {
  Job job;
  job.training.algorithm = Algorithm::kVanilla;
  job.training.consistency = consistency;
  job.training.global_batch = 8;
  job.training.slots = 2;
  job.training.tau = 2;
  job.training.clean_weight = 1;
  job.optimizer.rule = AdamWOptions{0.9F, 0.99F, 1e-6F, 0.01F};
  job.schedule.peak = 0.1F;
  job.schedule.decay = CosineDecay{};
  job.server.retain = 4;
  return job;
}

Plan SomePlan() {
  Plan plan;
  plan.tensors = {{"weight", {5, 4}}, {"bias", {4}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = kSteps;
  return plan;
}

class Forward final : public ShardObserver {
 public:
  explicit Forward(Checkpointer* to) : to_(to) {}
  void OnPublished(const Publication& publication) override { to_->OnPublished(publication); }

 private:
  Checkpointer* const to_;
};

// One life of a shard's process.
struct Life {
  Life(const std::string& directory, Consistency consistency, const std::string& job_text = "")
      : checkpointer(Options(directory, job_text), &FileSystem::Real(), &Clock::Real()),
        observer(&checkpointer),
        shard(SomeJob(consistency), 0, 1, &Clock::Real(), &pool, &observer) {
    checkpointer.SetListener(
        [this](const CheckpointOutcome& outcome) { outcomes.push_back(outcome); });
  }
  ~Life() { checkpointer.Flush(); }
  static CheckpointerOptions Options(const std::string& directory, const std::string& job_text) {
    CheckpointerOptions options;
    options.owner.directory = directory;
    options.keep = 2;
    options.tau = 2;
    options.job_name = "test";
    options.job_text = job_text;
    return options;
  }

  void Begin() {
    const auto initial = shard.BeginInitialWeights(SomePlan());
    for (size_t i = 0; i < initial->arena->size(); ++i) {
      initial->arena->data()[i] = 0.1F * static_cast<float>(i % 7);
    }
    ASSERT_TRUE(shard.FinishInitialWeights(*initial).ok());
  }
  absl::StatusOr<UnitLedger> Restore(std::optional<uint64_t> version, Incarnation lineage = kNow) {
    const CheckpointReport report = checkpointer.Scan().value();
    Checkpointer::Beginning beginning;
    for (const CheckpointId& id : report.usable) {
      if (version == id.version.value()) beginning.target = id;
    }
    beginning.lineage = lineage;
    EXPECT_EQ(version.has_value(), beginning.target.has_value());
    return Restore(beginning);
  }
  absl::StatusOr<UnitLedger> Restore(const Checkpointer::Beginning& beginning) {
    absl::StatusOr<UnitLedger> restored = absl::UnknownError("not answered");
    checkpointer.Restore(beginning, &shard,
                         [&](absl::StatusOr<UnitLedger> ledger) { restored = std::move(ledger); });
    checkpointer.Flush();
    return restored;
  }
  // A gradient that is a function of the unit alone.
  absl::Status Push(uint64_t step, uint64_t slot, uint64_t version) {
    Contribution contribution;
    contribution.unit = {Step(step), Slot(slot)};
    contribution.worker = "w";
    contribution.update_version = Version(version);
    auto admission = shard.BeginPush(contribution, shard.run()->layout.hash());
    if (!admission.ok()) return admission.status();
    if (admission->buffer == nullptr) return absl::AlreadyExistsError("duplicate");
    float value = static_cast<float>(2 * step + slot);
    for (float& element : admission->buffer->span()) element = (value += 0.37F) - 5;
    shard.FinishPush(contribution, *std::move(admission), [](absl::StatusOr<PushOutcome>) {});
    while (pool.RunOne()) {
    }
    return absl::OkStatus();
  }
  std::vector<float> Weights() const {
    const Snapshot latest = *shard.snapshots().Latest();
    return {latest.weights->span().begin(), latest.weights->span().end()};
  }
  std::vector<uint64_t> Complete() {
    checkpointer.Flush();
    std::vector<uint64_t> values;
    const CheckpointReport report = checkpointer.Scan().value();
    for (const CheckpointId& id : report.usable) values.push_back(id.version.value());
    return values;
  }

  ThreadPool pool{0};
  std::vector<CheckpointOutcome> outcomes;
  Checkpointer checkpointer;
  Forward observer;
  mutable Shard shard;
};

class CheckpointerTest : public ::testing::Test {
 protected:
  void Steps(Life& life, uint64_t from, uint64_t to) {
    for (uint64_t step = from; step < to; ++step) {
      for (uint64_t slot = 0; slot < 2; ++slot) {
        ASSERT_TRUE(life.Push(step, slot, step).ok()) << step;
      }
    }
  }
  void Flip(uint64_t version, const std::string& file) {
    const std::string path = ShardPath({directory_.path(), 0, 1}, Version(version)) + "/" + file;
    std::fstream stream(path, std::ios::in | std::ios::out | std::ios::binary);
    stream.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) - 3));
    stream.put('!');
  }
  TempDir directory_;
};

TEST_F(CheckpointerTest, ARunGoesOnFromACheckpointToTheSameBits) {
  std::vector<float> expected;
  {
    Life whole("", Consistency::kSync);
    whole.Begin();
    Steps(whole, 0, kSteps);
    expected = whole.Weights();
  }
  {
    Life first(directory_.path(), Consistency::kSync);
    first.Begin();
    first.checkpointer.Arm(Version(4), {});
    Steps(first, 0, 7);
    EXPECT_THAT(first.Complete(), ElementsAre(4, 0));
  }
  Life second(directory_.path(), Consistency::kSync);
  const auto ledger = second.Restore(4);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  EXPECT_EQ(ledger->prefix(), 4U);
  // τ = 2: the attacks of the steps to come need two versions before.
  EXPECT_EQ(second.shard.snapshots().retained()->oldest, Version(2));
  Steps(second, 4, kSteps);
  EXPECT_EQ(second.Weights(), expected);
  EXPECT_THAT(second.Complete(), ElementsAre(10, 4, 0));
}

TEST_F(CheckpointerTest, WithoutSyncTheLedgerSaysWhichUnitsAreIn) {
  {
    Life first(directory_.path(), Consistency::kAsync);
    first.Begin();
    first.checkpointer.Arm(Version(3), {});
    ASSERT_TRUE(first.Push(0, 1, 0).ok());
    ASSERT_TRUE(first.Push(2, 0, 0).ok());
    ASSERT_TRUE(first.Push(0, 0, 0).ok());
    ASSERT_TRUE(first.Push(1, 0, 0).ok());
    first.checkpointer.Flush();
  }
  Life second(directory_.path(), Consistency::kAsync);
  const auto ledger = second.Restore(3);
  ASSERT_TRUE(ledger.ok()) << ledger.status();
  EXPECT_EQ(ledger->prefix(), 2U);
  EXPECT_THAT(ledger->ahead(), ElementsAre(4));
  EXPECT_TRUE(absl::IsAlreadyExists(second.Push(2, 0, 0))) << "it is in version 3";
  EXPECT_TRUE(second.Push(1, 0, 0).ok()) << "it was lost with version 4";
  EXPECT_EQ(second.shard.snapshots().Latest()->version, Version(4));
}

// What another lineage of the same run made later may still be all that another shard has.
TEST_F(CheckpointerTest, ARestoreRemovesNothing) {
  {
    Life first(directory_.path(), Consistency::kSync);
    ASSERT_TRUE(first.Restore(std::nullopt).ok());
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
    first.checkpointer.Arm(Version(4), {});
    Steps(first, 3, 5);
    EXPECT_THAT(first.Complete(), ElementsAre(4, 2, 0));
  }
  Life second(directory_.path(), Consistency::kSync);
  ASSERT_TRUE(second.Restore(2, Incarnation(78)).ok());
  EXPECT_THAT(second.Complete(), ElementsAre(4, 2, 0));
  // Until it is made again and every shard has what is newer.
  second.checkpointer.Arm(Version(5), {Version(0), Version(2)});
  Steps(second, 2, 5);
  EXPECT_THAT(second.Complete(), ElementsAre(5, 4, 2, 0));
  second.checkpointer.Arm(Version(6), {Version(2), Version(5)});
  Steps(second, 5, 6);
  EXPECT_THAT(second.Complete(), ElementsAre(6, 5, 2, 0));
}

TEST_F(CheckpointerTest, ARunThatBeginsAnewSetsAsideWhatIsThere) {
  {
    Life first(directory_.path(), Consistency::kSync);
    ASSERT_TRUE(first.Restore(std::nullopt).ok());
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
  }
  Life second(directory_.path(), Consistency::kSync);
  ASSERT_TRUE(second.Restore(std::nullopt, Incarnation(78)).ok());
  const CheckpointReport report = second.checkpointer.Scan().value();
  ASSERT_EQ(report.usable.size(), 1U) << "initial weights are made again";
  ASSERT_EQ(report.refused.size(), 1U);
  EXPECT_EQ(report.refused[0].version, Version(2));
  EXPECT_THAT(report.refused[0].reason, HasSubstr("the run began anew"));
}

TEST_F(CheckpointerTest, ADamagedCheckpointIsSetAsideWithTheReasonAndTheOneBeforeIsLeft) {
  for (const char* file : {"weights.safetensors", "optimizer.safetensors"}) {
    {
      Life first(directory_.path(), Consistency::kSync);
      ASSERT_TRUE(first.Restore(std::nullopt).ok());
      first.Begin();
      first.checkpointer.Arm(Version(2), {});
      Steps(first, 0, 3);
    }
    Flip(2, file);
    Life second(directory_.path(), Consistency::kSync);
    const absl::Status status = second.Restore(2).status();
    EXPECT_TRUE(absl::IsDataLoss(status)) << file << ": " << status;
    EXPECT_THAT(std::string(status.message()), HasSubstr(file));
    EXPECT_THAT(second.Complete(), ElementsAre(0));
    const CheckpointReport report = second.checkpointer.Scan().value();
    ASSERT_FALSE(report.refused.empty());
    EXPECT_THAT(report.refused[0].reason, HasSubstr(file));
  }
}

// As after a disk of another run was attached between the look and the restore.
TEST_F(CheckpointerTest, AnotherRunsCheckpointOfTheVersionIsNotTaken) {
  const auto train = [this](Incarnation lineage) {
    Life life(directory_.path(), Consistency::kAsync);
    EXPECT_TRUE(life.Restore(std::nullopt, lineage).ok());
    life.Begin();
    life.checkpointer.Arm(Version(2), {});
    EXPECT_TRUE(life.Push(0, 0, 0).ok());
    EXPECT_TRUE(life.Push(0, 1, 0).ok());
    life.checkpointer.Flush();
    return life.checkpointer.Scan()->usable.front();
  };
  const CheckpointId theirs = train(Incarnation(1));
  const CheckpointId ours = train(Incarnation(2));
  EXPECT_EQ(ours.version, theirs.version);
  Life second(directory_.path(), Consistency::kAsync);
  const absl::Status status = second.Restore({theirs, Incarnation(3)}).status();
  EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
  EXPECT_THAT(second.Complete(), ElementsAre(2, 0));
  // Ours is taken, and what is not of our run is set aside then.
  {
    Life third(directory_.path(), Consistency::kAsync);
    ASSERT_TRUE(third.Restore(0, Incarnation(4)).ok());
    EXPECT_THAT(third.Complete(), ElementsAre(2, 0));
  }
}

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

TEST_F(CheckpointerTest, CheckpointsOfAnotherJobAreRefusedAndKept) {
  const std::string job = "model { builtin: \"mlp\" } optimizer { sgd {} } training { steps: 10 ";
  {
    Life first(directory_.path(), Consistency::kSync, job + "tau: 1 }");
    first.Begin();
    first.checkpointer.Arm(Version(2), {});
    Steps(first, 0, 3);
    first.checkpointer.Flush();
  }
  {
    Life second(directory_.path(), Consistency::kSync, job + "tau: 2 }");
    const CheckpointReport report = second.checkpointer.Scan().value();
    EXPECT_TRUE(report.usable.empty());
    ASSERT_EQ(report.refused.size(), 2U);
    EXPECT_THAT(report.refused[0].reason, HasSubstr("training.tau: 1 -> 2"));
  }
  Life third(directory_.path(), Consistency::kSync, job + "tau: 1 }");
  EXPECT_THAT(third.Complete(), ElementsAre(2, 0));
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

}  // namespace
}  // namespace conadv
