// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulated_compute.h"

#include <utility>

#include "common/base/clock.h"
#include "common/thread/mutex.h"

namespace conadv {
namespace {

// Small, and exact in float32 as are sums of thousands of them.
constexpr float kUnit = 1.0F / (1 << 20);
// That a lane is kept waiting.
constexpr absl::Duration kShortest = absl::Milliseconds(1);

// Nobody looks into it.
std::shared_ptr<const UnitBatch> NoExamples() {
  static const int nothing = 0;
  return {std::shared_ptr<const UnitBatch>(), reinterpret_cast<const UnitBatch*>(&nothing)};
}

// One event that one thread waits for.
class Occurrence {
 public:
  void Occur() {
    MutexLock lock(&mutex_);
    occurred_ = true;
    changed_.NotifyAll();
  }
  void Await() {
    MutexLock lock(&mutex_);
    while (!occurred_) changed_.Wait(&mutex_);
  }

 private:
  Mutex mutex_;
  CondVar changed_;
  bool occurred_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

float* SimulatedGradientMemory::Allocate(size_t elements) {
  float* const values = base_->Allocate(elements);
  for (size_t i = 0; i < elements; ++i) {
    values[i] = kUnit * (static_cast<float>(i % 7) - 3);
  }
  return values;
}

SimulatedCompute::SimulatedCompute(const Simulation& simulation, GradientStreams streams,
                                   std::shared_ptr<const Layout> layout, Timer* timer)
    : simulation_(simulation), streams_(std::move(streams)), timer_(timer) {
  for (const GradientStream& stream : streams_) {
    tensors_.emplace_back();
    for (size_t i = 0; i < layout->placements().size(); ++i) {
      const Placement& placement = layout->placements()[i];
      const Range range = RangeOf(*layout, placement.shard, stream);
      if (placement.offset >= range.begin && placement.offset < range.end) {
        tensors_.back().push_back({i, layout->global_offset(placement)});
      }
    }
  }
}

absl::StatusOr<std::shared_ptr<const UnitBatch>> SimulatedCompute::Load(Unit) {
  return NoExamples();
}

absl::StatusOr<std::shared_ptr<const UnitBatch>> SimulatedCompute::Attack(
    int, Unit, std::shared_ptr<const UnitBatch>,
    std::vector<std::shared_ptr<const Arena>> weights) {
  Occupy(simulation_.attack * static_cast<double>(weights.size()));
  return NoExamples();
}

absl::StatusOr<PassMeasures> SimulatedCompute::Pass(int, Unit unit, StreamIndex stream,
                                                    std::shared_ptr<const UnitBatch>,
                                                    std::shared_ptr<const Arena>,
                                                    std::shared_ptr<Arena> gradients,
                                                    PassProgress* progress) {
  const GradientStream& of = streams_[stream.value()];
  const absl::Duration time = of.attacked() ? simulation_.adversarial : simulation_.clean;
  const uint64_t key = (unit.step.value() * 8191 + unit.slot.value() * 127 + stream.value()) % 1021;
  for (const Tensor& tensor : tensors_[stream.value()]) {
    gradients->data()[tensor.first_element] = kUnit * (static_cast<float>(key) - 510);
  }
  PassMeasures measures;
  measures.loss = 1;
  if (progress == nullptr) {
    Occupy(time);
  } else {
    OccupyAndTell(time, tensors_[stream.value()], measures, progress);
  }
  if (of.kind == StreamKind::kAttack) measures.attacked = NoExamples();
  return measures;
}

void SimulatedCompute::OccupyAndTell(absl::Duration time, const std::vector<Tensor>& tensors,
                                     const PassMeasures& measures, PassProgress* progress) {
  // By the clock: many short waits, each a little too long, would add up.
  const absl::Time begun = Clock::Real().Now();
  const auto occupy_until = [&](absl::Duration passed) {
    Occupy(begun + passed - Clock::Real().Now());
  };
  absl::Duration passed = time / 3;
  occupy_until(passed);
  progress->OnMeasures(measures.loss, measures.accuracy);
  const absl::Duration backward = time - passed;
  for (size_t i = tensors.size(); i-- > 0;) {
    const absl::Duration at =
        time - backward * static_cast<double>(i) / static_cast<double>(tensors.size());
    // A lane that is woken for each tensor of a short pass would do little else.
    if (at - passed >= kShortest) occupy_until(passed = at);
    progress->OnTensor(tensors[i].placement);
  }
  occupy_until(time);
}

void SimulatedCompute::Occupy(absl::Duration time) {
  if (time <= absl::ZeroDuration()) return;
  const auto over = std::make_shared<Occurrence>();
  timer_->After(time, [over] { over->Occur(); });
  over->Await();
}

}  // namespace conadv
