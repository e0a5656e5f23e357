// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulated_compute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <utility>
#include <vector>

#include "common/plan/simulated_plan.h"
#include "tests/support/manual_timer.h"
#include "tests/support/streams.h"
#include "worker/schedule/pipeline.h"

namespace conadv {
namespace {

constexpr Unit kUnit{Step(3), Slot(1)};

Simulation SomeTimes() {
  Simulation simulation;
  simulation.attack = absl::Milliseconds(50);
  simulation.clean = absl::Milliseconds(30);
  simulation.adversarial = absl::Milliseconds(40);
  return simulation;
}

std::shared_ptr<const Layout> SomeLayout() {
  return std::make_shared<const Layout>(*Layout::Create(SimulatedTensors(1000), 2));
}

class SimulatedComputeTest : public ::testing::Test {
 protected:
  // How long `run`, which waits for one time, waits for.
  template <class Run>
  absl::Duration TimeOf(const Run& run) {
    std::atomic<bool> over{false};
    std::thread lane([&] {
      run();
      over = true;
    });
    const absl::Duration time = timer_.AwaitPending();
    EXPECT_FALSE(over);
    timer_.RunNext();
    lane.join();
    return time;
  }
  std::vector<float> GradientsOf(Unit unit, StreamIndex stream) {
    SimulatedGradientMemory memory;
    const auto gradients = std::make_shared<Arena>(layout_->total_size(), &memory);
    SimulatedCompute compute({absl::ZeroDuration(), absl::ZeroDuration(), absl::ZeroDuration()},
                             CleanAndAdversarial(), layout_, &timer_);
    EXPECT_TRUE(compute.Pass(0, unit, stream, nullptr, nullptr, gradients, nullptr).ok());
    return {gradients->span().begin(), gradients->span().end()};
  }

  ManualTimer timer_;
  const std::shared_ptr<const Layout> layout_ = SomeLayout();
  SimulatedCompute compute_{SomeTimes(), CleanAndAdversarial(), layout_, &timer_};
  SimulatedGradientMemory memory_;
};

TEST_F(SimulatedComputeTest, ALaneIsBusyForAsLongAsThePassTakes) {
  const auto gradients = std::make_shared<Arena>(layout_->total_size(), &memory_);
  EXPECT_EQ(TimeOf([&] { (void)compute_.Attack(0, kUnit, nullptr, {nullptr}); }),
            absl::Milliseconds(50));
  EXPECT_EQ(TimeOf([&] {
              (void)compute_.Attack(0, kUnit, nullptr, {nullptr, nullptr});
            }),
            absl::Milliseconds(100));
  EXPECT_EQ(TimeOf([&] {
              (void)compute_.Pass(0, kUnit, kCleanStream, nullptr, nullptr, gradients, nullptr);
            }),
            absl::Milliseconds(30));
  EXPECT_EQ(TimeOf([&] {
              (void)compute_.Pass(0, kUnit, kAdversarialStream, nullptr, nullptr, gradients,
                                  nullptr);
            }),
            absl::Milliseconds(40));
}

TEST_F(SimulatedComputeTest, GradientsAreAFunctionOfTheirKeyAndFinite) {
  std::set<std::vector<float>> different;
  for (const uint64_t step : {0, 1, 2}) {
    for (const uint32_t slot : {0, 1}) {
      for (const StreamIndex stream : {kCleanStream, kAdversarialStream}) {
        const std::vector<float> gradients = GradientsOf({Step(step), Slot(slot)}, stream);
        EXPECT_EQ(gradients, GradientsOf({Step(step), Slot(slot)}, stream));
        for (const float value : gradients) ASSERT_TRUE(std::isfinite(value));
        different.insert(gradients);
      }
    }
  }
  EXPECT_EQ(different.size(), 12U);
}

class Heard final : public PassProgress {
 public:
  explicit Heard(const Arena& gradients) : gradients_(gradients) {}
  void OnMeasures(float, float) override { ++measures; }
  void OnTensor(size_t placement) override {
    EXPECT_EQ(measures, 1);
    tensors.push_back(placement);
    then.emplace_back(gradients_.span().begin(), gradients_.span().end());
  }

  int measures = 0;
  std::vector<size_t> tensors;
  std::vector<std::vector<float>> then;  // the gradients, when each was named

 private:
  const Arena& gradients_;
};

TEST_F(SimulatedComputeTest, ABackwardPassIsDoneWithTensorAfterTensorFromTheLastOn) {
  ManualTimer timer;
  SimulatedCompute compute({absl::ZeroDuration(), absl::ZeroDuration(), absl::ZeroDuration()},
                           CleanAndAdversarial(), layout_, &timer);
  const auto gradients = std::make_shared<Arena>(layout_->total_size(), &memory_);
  Heard heard(*gradients);
  EXPECT_TRUE(compute.Pass(0, kUnit, kCleanStream, nullptr, nullptr, gradients, &heard).ok());
  std::vector<size_t> expected(layout_->placements().size());
  std::iota(expected.rbegin(), expected.rend(), 0);
  EXPECT_EQ(heard.tensors, expected);
  const std::vector<float> end = GradientsOf(kUnit, kCleanStream);
  for (const std::vector<float>& gradients_then : heard.then) EXPECT_EQ(gradients_then, end);
}

TEST(SimulatedTensors, AddUpToTheParameters) {
  for (const uint64_t parameters : {1, 3, 40, 41, 22'000, 25'000'000}) {
    uint64_t sum = 0;
    const std::vector<TensorSpec> tensors = SimulatedTensors(parameters);
    for (const TensorSpec& tensor : tensors) sum += tensor.size();
    EXPECT_EQ(sum, parameters);
    EXPECT_LE(tensors.size(), 40U);
  }
}

// Time that passes only when every lane waits for it.
class VirtualTimer final : public Timer {
 public:
  void After(absl::Duration delay, std::function<void()> run) override {
    MutexLock lock(&mutex_);
    pending_.emplace(now_ + delay, std::move(run));
    changed_.NotifyAll();
  }
  // Waits until `lanes` wait, then goes on to when the first of them is through. How long that is
  // since the beginning.
  absl::Duration Advance(size_t lanes) {
    std::function<void()> run;
    MutexLock lock(&mutex_);
    while (pending_.size() < lanes) changed_.Wait(&mutex_);
    now_ = pending_.begin()->first;
    run = std::move(pending_.begin()->second);
    pending_.erase(pending_.begin());
    run();
    return now_ - absl::UnixEpoch();
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  absl::Time now_ ABSL_GUARDED_BY(mutex_) = absl::UnixEpoch();
  std::multimap<absl::Time, std::function<void()>> pending_ ABSL_GUARDED_BY(mutex_);
};

class FreeSource final : public WeightSource {
 public:
  void Pull(const PullSelector& selector, Done done) override {
    done(VersionedWeights{Version(selector.value), std::make_shared<Arena>(16)});
  }
};
class FreeSink final : public ContributionSink {
 public:
  void Push(const Contribution&, std::shared_ptr<const Arena>, Done done) override {
    done(absl::OkStatus());
  }
};

// A lane that is kept waiting once for each pass, whose end alone counts.
class Untold final : public UnitCompute {
 public:
  explicit Untold(UnitCompute* compute) : compute_(compute) {}
  absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) override {
    return compute_->Load(unit);
  }
  absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::vector<std::shared_ptr<const Arena>> weights) override {
    return compute_->Attack(lane, unit, std::move(loaded), std::move(weights));
  }
  absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                    std::shared_ptr<const UnitBatch> batch,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients, PassProgress*) override {
    return compute_->Pass(lane, unit, stream, std::move(batch), std::move(weights),
                          std::move(gradients), nullptr);
  }

 private:
  UnitCompute* const compute_;
};

// One unit of CONADV or DISADV through the real pipeline: how long it takes by its lanes' time, and
// by `concurrent`, which says how many lanes wait at once between one end and the next.
absl::Duration UnitTime(int lanes, const std::vector<size_t>& concurrent) {
  VirtualTimer timer;
  SimulatedGradientMemory memory;
  SimulatedCompute compute(SomeTimes(), CleanAndAdversarial(), SomeLayout(), &timer);
  Untold untold(&compute);
  WorkerStatistics statistics;
  FreeSource source;
  FreeSink sink;
  ArenaPool gradients(SomeLayout()->total_size(), 4, &memory);
  WeightCache cache(&source, 2, &statistics);
  Executor executor(lanes, 100, nullptr, &statistics, Clock::Real());
  Executor loaders(1, 100, nullptr, nullptr, Clock::Real(), "loader");
  PlanOptions options;
  options.streams = CleanAndAdversarial();
  Mutex mutex;
  CondVar changed;
  bool done = false;
  PipelineEvents events;
  events.done = [&](Unit, Lineage) {
    MutexLock lock(&mutex);
    done = true;
    changed.NotifyAll();
  };
  Pipeline pipeline(options, 4,
                    {&cache, &sink, &untold, &executor, &loaders, &gradients, &statistics},
                    std::move(events));
  pipeline.Grant({kUnit}, Lineage(1));
  absl::Duration time;
  for (const size_t waiting : concurrent) time = timer.Advance(waiting);
  {
    MutexLock lock(&mutex);
    while (!done) changed.Wait(&mutex);
  }
  loaders.Stop();
  executor.Stop();
  return time;
}

TEST(SimulatedUnit, TakesAsLongAsItsLanesSay) {
  // One after the other: whichever of attack and clean pass comes first, the sum is the same.
  EXPECT_EQ(UnitTime(1, {1, 1, 1}), absl::Milliseconds(50 + 30 + 40));
  // Attack and clean pass at once, and then the adversarial pass.
  EXPECT_EQ(UnitTime(3, {2, 1, 1}), absl::Milliseconds(50 + 40));
}

}  // namespace
}  // namespace conadv
