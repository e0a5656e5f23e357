// SPDX-License-Identifier: Apache-2.0
// Shards that clip by the norm of what lies on all of them, with the exchange between them as it is
// but for the wire.
#include <gtest/gtest.h>

#include <cmath>
#include <future>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/thread/mutex.h"
#include "common/thread/thread_pool.h"
#include "server/clip/norm_table.h"
#include "server/shard/shard.h"

namespace conadv {
namespace {

constexpr uint32_t kSlots = 4;
constexpr float kMost = 0.5;

Job ClippedJob(Consistency consistency) {
  Job job;
  job.training.algorithm = Algorithm::kVanilla;
  job.training.consistency = consistency;
  job.training.global_batch = 2 * kSlots;
  job.training.slots = kSlots;
  job.training.clean_weight = 1;
  job.training.delay_compensation = consistency == Consistency::kSync ? 0 : 0.1F;
  job.optimizer.rule = SgdOptions{0.9F, false, 0.01F};
  job.optimizer.global_clip_norm = kMost;
  job.schedule.peak = 1;
  job.schedule.decay = ConstantDecay{};
  job.server.retain = 4;
  return job;
}

Plan ClippedPlan() {
  Plan plan;
  for (uint64_t t = 0; t < 7; ++t) {
    const TensorKind kind = t == 3 ? TensorKind::kStatistic : TensorKind::kWeight;
    plan.tensors.push_back({std::string(1, 'a' + t), {3 * t + 2}, kind, Branch::kShared, 0.5F});
  }
  plan.examples = 64;
  plan.steps = 10;
  return plan;
}

// The i-th value of a unit's gradient in a tensor.
float ValueOf(const Unit& unit, const std::string& tensor, size_t i) {
  const double seed = 100.0 * unit.step.value() + 10.0 * unit.slot.value() + tensor[0];
  return static_cast<float>(std::sin(seed + 0.7 * i) * (tensor == "d" ? 100 : 1));
}

class Observer final : public ShardObserver {
 public:
  void OnPublished(const Publication& publication) override {
    if (publication.update == nullptr) return;
    MutexLock lock(&mutex_);
    updates.push_back(*publication.update);
    published_.NotifyAll();
  }
  void OnDecided(Version version, const Unit& unit) override {
    decided.emplace_back(version, unit);
  }
  // Where the shards have threads of their own.
  void AwaitUpdates(size_t count) {
    MutexLock lock(&mutex_);
    while (updates.size() < count) published_.Wait(&mutex_);
  }
  std::vector<AppliedUpdate> updates;
  std::vector<std::pair<Version, Unit>> decided;

 private:
  Mutex mutex_;
  CondVar published_;
};

class FarShard final : public NormExchange {
 public:
  FarShard(NormTable* table, uint32_t shard) : table_(table), shard_(shard) {}
  void Combine(const Layout& layout, ShardNorms own, Callback done) override {
    if (away) return;
    table_->Offer(layout, shard_, std::move(own), std::move(done));
  }
  bool away = false;

 private:
  NormTable* const table_;
  const uint32_t shard_;
};

// All shards of a run, on one pool that is stepped unless it has threads.
class Cluster {
 public:
  Cluster(uint32_t shards, Consistency consistency, int threads = 0) : pool(threads) {
    for (uint32_t id = 0; id < shards; ++id) {
      observers.push_back(std::make_unique<Observer>());
      this->shards.push_back(std::make_unique<Shard>(ClippedJob(consistency), id, shards,
                                                     &Clock::Real(), &pool, observers[id].get()));
      far.push_back(std::make_unique<FarShard>(&table, id));
      if (shards > 1) {
        this->shards[id]->SetNorms(id == 0 ? static_cast<NormExchange*>(&table) : far[id].get());
      }
      const auto initial = this->shards[id]->BeginInitialWeights(ClippedPlan());
      EXPECT_TRUE(initial.ok()) << initial.status();
      initial->arena->Zero();
      std::promise<void> published;
      this->shards[id]->FinishInitialWeights(*initial,
                                             [&published](const auto&) { published.set_value(); });
      Step();
      published.get_future().wait();
    }
  }

  void Step() {
    while (pool.RunOne()) {
    }
  }
  void Push(uint32_t shard, const Unit& unit, uint64_t version) {
    Contribution contribution;
    contribution.unit = unit;
    contribution.worker = "w";
    contribution.update_version = Version(version);
    const Layout& layout = shards[shard]->run()->layout;
    auto admission = shards[shard]->BeginPush(contribution, layout.hash());
    ASSERT_TRUE(admission.ok()) << admission.status();
    admission->buffer->Zero();
    for (const size_t index : layout.tensors_of(shard)) {
      const Placement& placement = layout.placements()[index];
      for (size_t i = 0; i < placement.tensor.size(); ++i) {
        admission->buffer->data()[placement.offset + i] = ValueOf(unit, placement.tensor.name, i);
      }
    }
    shards[shard]->FinishPush(contribution, *std::move(admission), [](const auto&) {});
    Step();
  }
  uint64_t Latest(uint32_t shard) { return shards[shard]->snapshots().Latest()->version.value(); }
  std::map<std::string, std::vector<float>> Weights() {
    std::map<std::string, std::vector<float>> weights;
    for (uint32_t shard = 0; shard < shards.size(); ++shard) {
      const Layout& layout = shards[shard]->run()->layout;
      const Snapshot latest = *shards[shard]->snapshots().Latest();
      for (const size_t index : layout.tensors_of(shard)) {
        const Placement& placement = layout.placements()[index];
        const float* begin = latest.weights->data() + placement.offset;
        weights[placement.tensor.name].assign(begin, begin + placement.tensor.size());
      }
    }
    return weights;
  }

  NormTable table;
  std::vector<std::unique_ptr<Observer>> observers;
  std::vector<std::unique_ptr<FarShard>> far;
  std::vector<std::unique_ptr<Shard>> shards;
  ThreadPool pool;  // last: its tasks use the rest
};

Unit UnitOf(uint64_t step, uint64_t slot) { return {Step(step), Slot(slot)}; }

TEST(GlobalClipping, TheBitsDoNotDependOnTheNumberOfShards) {
  std::vector<std::map<std::string, std::vector<float>>> weights;
  std::vector<std::vector<double>> norms;
  for (const uint32_t shards : {1, 2, 3}) {
    Cluster cluster(shards, Consistency::kSync);
    for (uint64_t step = 0; step < 5; ++step) {
      for (uint64_t slot = 0; slot < kSlots; ++slot) {
        for (uint32_t shard = shards; shard-- > 0;) {
          cluster.Push(shard, UnitOf(step, slot), step);
        }
      }
    }
    weights.push_back(cluster.Weights());
    for (const auto& observer : cluster.observers) {
      std::vector<double>& of = norms.emplace_back();
      for (const AppliedUpdate& update : observer->updates) of.push_back(*update.gradient_norm);
    }
  }
  EXPECT_EQ(weights[0], weights[1]);
  EXPECT_EQ(weights[0], weights[2]);
  ASSERT_EQ(norms[0].size(), 5U);
  EXPECT_GT(norms[0][0], kMost) << "or nothing was clipped";
  for (const std::vector<double>& of : norms) EXPECT_EQ(of, norms[0]) << "before clipping, of all";
}

TEST(GlobalClipping, ShardsOnThreadsThatMeetInAnyOrderMakeTheSameBits) {
  constexpr uint64_t kSteps = 10;
  Cluster stepped(1, Consistency::kSync);
  Cluster threaded(3, Consistency::kSync, /*threads=*/3);
  std::vector<std::thread> workers;
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    workers.emplace_back([&threaded, slot] {
      for (uint64_t step = 0; step < kSteps; ++step) {
        for (uint32_t i = 0; i < 3; ++i) {
          const auto shard = static_cast<uint32_t>((i + slot) % 3);
          threaded.observers[shard]->AwaitUpdates(step);
          threaded.Push(shard, UnitOf(step, slot), step);
        }
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  for (const auto& observer : threaded.observers) observer->AwaitUpdates(kSteps);
  for (uint64_t step = 0; step < kSteps; ++step) {
    for (uint64_t slot = 0; slot < kSlots; ++slot) stepped.Push(0, UnitOf(step, slot), step);
  }
  EXPECT_EQ(stepped.Weights(), threaded.Weights());
}

TEST(GlobalClipping, TheFirstStepIsAsLongAsItMayBeAndStatisticsAreNotClipped) {
  Cluster cluster(2, Consistency::kSync);
  for (uint64_t slot = 0; slot < kSlots; ++slot) {
    for (const uint32_t shard : {0, 1}) cluster.Push(shard, UnitOf(0, slot), 0);
  }
  double square = 0;
  for (const auto& [name, values] : cluster.Weights()) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (name != "d") {
        square += values[i] * values[i];
        continue;
      }
      double mean = 0;
      for (uint64_t slot = 0; slot < kSlots; ++slot) {
        mean += ValueOf(UnitOf(0, slot), name, i) / kSlots;
      }
      EXPECT_NEAR(values[i], 0.5 * mean, 1e-4);
    }
  }
  EXPECT_NEAR(std::sqrt(square), kMost, 1e-6);
}

TEST(GlobalClipping, AStepWaitsForAnotherShardWithoutATaskAndMayBeVisitedMeanwhile) {
  Cluster cluster(2, Consistency::kSync);
  for (uint64_t slot = 0; slot < kSlots; ++slot) cluster.Push(0, UnitOf(0, slot), 0);
  EXPECT_EQ(cluster.Latest(0), 0U);
  EXPECT_EQ(cluster.shards[0]->oldest_task(), 0U);
  std::optional<Version> visited;
  cluster.shards[0]->VisitAtRest(Version(0), [&visited](const Publication& publication) {
    visited = publication.weights.version;
  });
  cluster.Step();
  EXPECT_EQ(visited, Version(0)) << "a checkpoint need not wait for the peer";
  EXPECT_EQ(cluster.Latest(0), 0U);
  for (uint64_t slot = 0; slot < kSlots; ++slot) cluster.Push(1, UnitOf(0, slot), 0);
  EXPECT_EQ(cluster.Latest(0), 1U);
  EXPECT_EQ(cluster.Latest(1), 1U);
}

TEST(GlobalClipping, AShardThatGoesWhileItWaitsLeavesNothingBehind) {
  Cluster cluster(2, Consistency::kSync);
  cluster.far[1]->away = true;
  for (const uint32_t shard : {0, 1}) {
    for (uint64_t slot = 0; slot < kSlots; ++slot) cluster.Push(shard, UnitOf(0, slot), 0);
  }
  cluster.table.Close(absl::UnavailableError("this server is going away"));
  cluster.Step();
  EXPECT_EQ(cluster.Latest(0), 0U);
  EXPECT_EQ(cluster.Latest(1), 0U);
}

TEST(GlobalClipping, WithoutSyncTheLeaderSaysWhatComesNextBeforeItIsApplied) {
  Cluster cluster(2, Consistency::kAsync);
  cluster.Push(1, UnitOf(0, 0), 0);
  cluster.Push(0, UnitOf(0, 2), 0);
  cluster.Push(0, UnitOf(0, 0), 0);
  Observer& leader = *cluster.observers[0];
  ASSERT_EQ(leader.decided.size(), 1U) << "one at a time";
  EXPECT_EQ(leader.decided[0], std::pair(Version(1), UnitOf(0, 2)));
  EXPECT_EQ(cluster.Latest(0), 0U);
  // A follower hears it, and has the unit only later.
  ASSERT_TRUE(cluster.shards[1]->Follow(UnitOf(0, 2)).ok());
  cluster.Step();
  EXPECT_EQ(cluster.Latest(1), 0U);
  cluster.Push(1, UnitOf(0, 2), 0);
  EXPECT_EQ(cluster.Latest(0), 1U);
  EXPECT_EQ(cluster.Latest(1), 1U);
  ASSERT_EQ(leader.decided.size(), 2U);
  EXPECT_EQ(leader.decided[1], std::pair(Version(2), UnitOf(0, 0)));
  ASSERT_TRUE(cluster.shards[1]->Follow(UnitOf(0, 0)).ok());
  cluster.Step();
  EXPECT_EQ(cluster.Latest(0), 2U);
  EXPECT_EQ(cluster.Latest(1), 2U);
  // The same as one shard does with the same order, compensation included.
  Cluster one(1, Consistency::kAsync);
  one.Push(0, UnitOf(0, 2), 0);
  one.Push(0, UnitOf(0, 0), 0);
  EXPECT_EQ(one.Weights(), cluster.Weights());
  EXPECT_TRUE(one.observers[0]->decided.empty());
}

}  // namespace
}  // namespace conadv
