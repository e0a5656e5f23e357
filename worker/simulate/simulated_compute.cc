// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulated_compute.h"

#include <utility>

#include "common/thread/mutex.h"

namespace conadv {
namespace {

// Small, and exact in float32 as are sums of thousands of them.
constexpr float kUnit = 1.0F / (1 << 20);

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
    first_elements_.emplace_back();
    for (const Placement& placement : layout->placements()) {
      const Range range = RangeOf(*layout, placement.shard, stream);
      if (placement.offset >= range.begin && placement.offset < range.end) {
        first_elements_.back().push_back(layout->global_offset(placement));
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
                                                    std::shared_ptr<Arena> gradients) {
  const GradientStream& of = streams_[stream.value()];
  Occupy(of.attacked() ? simulation_.adversarial : simulation_.clean);
  const uint64_t key = (unit.step.value() * 8191 + unit.slot.value() * 127 + stream.value()) % 1021;
  for (const size_t element : first_elements_[stream.value()]) {
    gradients->data()[element] = kUnit * (static_cast<float>(key) - 510);
  }
  PassMeasures measures;
  measures.loss = 1;
  if (of.kind == StreamKind::kAttack) measures.attacked = NoExamples();
  return measures;
}

void SimulatedCompute::Occupy(absl::Duration time) {
  if (time <= absl::ZeroDuration()) return;
  const auto over = std::make_shared<Occurrence>();
  timer_->After(time, [over] { over->Occur(); });
  over->Await();
}

}  // namespace conadv
