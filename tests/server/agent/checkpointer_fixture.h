// SPDX-License-Identifier: Apache-2.0
// A shard with its checkpointer, in one life of a process after another. Owned by one test.
#ifndef CONADV_TESTS_SERVER_AGENT_CHECKPOINTER_FIXTURE_H_
#define CONADV_TESTS_SERVER_AGENT_CHECKPOINTER_FIXTURE_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "server/agent/checkpointer.h"
#include "tests/support/temp_dir.h"

namespace conadv {

inline constexpr uint64_t kSteps = 10;
inline constexpr Lineage kNow{77};

inline Job SomeJob(Consistency consistency) {
  Job job;
  job.training.algorithm = Algorithm::kVanilla;
  job.training.consistency = consistency;
  job.training.global_batch = 8;
  job.training.slots = 2;
  job.training.tau = 2;
  job.training.clean_weight = 1;
  job.optimizer.rule = AdamWOptions{0.9F, 0.99F, 1e-6F, 0.01F};
  job.optimizer.average = AverageOptions{0.9F, true};
  job.schedule.peak = 0.1F;
  job.schedule.decay = CosineDecay{};
  job.server.retain = 4;
  return job;
}

inline Plan SomePlan() {
  Plan plan;
  plan.tensors = {{"weight", {5, 4}}, {"bias", {4}, TensorKind::kNoDecay}};
  plan.examples = 64;
  plan.steps = kSteps;
  return plan;
}

class Forward final : public ShardObserver {
 public:
  explicit Forward(Checkpointer* to) : to_(to) {}
  void OnPublished(const Publication& publication) override {
    to_->OnPublished(publication);
    if (then != nullptr) std::exchange(then, nullptr)();
  }
  std::function<void()> then;  // after the next publication

 private:
  Checkpointer* const to_;
};

// One life of a shard's process.
struct Life {
  Life(const std::string& directory, Consistency consistency, const std::string& job_text = "",
       const FileSystem& files = FileSystem::Real(),
       absl::Duration patience = absl::InfiniteDuration())
      : checkpointer(Options(directory, job_text, patience), &files, &Clock::Real()),
        observer(&checkpointer),
        shard(SomeJob(consistency), 0, 1, &Clock::Real(), &pool, &observer) {
    checkpointer.SetListener(
        [this](const CheckpointOutcome& outcome) { outcomes.push_back(outcome); });
  }
  ~Life() { checkpointer.Flush(); }
  static CheckpointerOptions Options(const std::string& directory, const std::string& job_text,
                                     absl::Duration patience) {
    CheckpointerOptions options;
    options.owner.directory = directory;
    options.keep = 2;
    options.older_versions = 2;
    options.patience = patience;
    options.job_name = "test";
    options.job_text = job_text;
    return options;
  }

  void Begin() {
    const auto initial = shard.BeginInitialWeights(SomePlan());
    for (size_t i = 0; i < initial->arena->size(); ++i) {
      initial->arena->data()[i] = 0.1F * static_cast<float>(i % 7);
    }
    shard.FinishInitialWeights(*initial, [](const absl::StatusOr<PushOutcome>& outcome) {
      EXPECT_TRUE(outcome.ok()) << outcome.status();
    });
    while (pool.RunOne()) {
    }
  }
  absl::StatusOr<UnitLedger> Restore(std::optional<uint64_t> version, Lineage lineage = kNow) {
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
  std::vector<float> Average() const {
    const Snapshot latest = *shard.snapshots().Latest();
    return {latest.average->span().begin(), latest.average->span().end()};
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

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_AGENT_CHECKPOINTER_FIXTURE_H_
