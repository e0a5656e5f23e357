// SPDX-License-Identifier: Apache-2.0
// A device that computes nothing: an attack or a pass keeps its lane waiting for as long as it
// would take, and leaves gradients that are the same in every run. Nothing is loaded. Lanes at
// once, one call at a time in each.
#ifndef CONADV_WORKER_SIMULATE_SIMULATED_COMPUTE_H_
#define CONADV_WORKER_SIMULATE_SIMULATED_COMPUTE_H_

#include <cstddef>
#include <memory>
#include <vector>

#include "common/job/streams.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/timer.h"
#include "worker/compute/unit_compute.h"
#include "worker/simulate/simulation.h"

namespace conadv {

// Memory for gradients that has a value in every element when it comes, as a device leaves there:
// so a pass need not write all of it, which a device does without the host's cores.
class SimulatedGradientMemory final : public ArenaAllocator {
 public:
  // `base` outlives this.
  explicit SimulatedGradientMemory(ArenaAllocator* base = &ArenaAllocator::Heap()) : base_(base) {}
  float* Allocate(size_t elements) override;
  void Free(float* values, size_t elements) override { base_->Free(values, elements); }

 private:
  ArenaAllocator* const base_;
};

class SimulatedCompute final : public UnitCompute {
 public:
  // `timer` outlives this.
  SimulatedCompute(const Simulation& simulation, GradientStreams streams,
                   std::shared_ptr<const Layout> layout, Timer* timer);

  absl::StatusOr<std::shared_ptr<const UnitBatch>> Load(Unit unit) override;
  // Takes its time once for each of the weights.
  absl::StatusOr<std::shared_ptr<const UnitBatch>> Attack(
      int lane, Unit unit, std::shared_ptr<const UnitBatch> loaded,
      std::vector<std::shared_ptr<const Arena>> weights) override;
  // Writes the first element of each of the stream's tensors, by (unit, stream). For whoever wants
  // to hear of it, two thirds of the time are the backward pass: it is done with tensor after
  // tensor, from the last one on. REQUIRES: `gradients` are of SimulatedGradientMemory.
  absl::StatusOr<PassMeasures> Pass(int lane, Unit unit, StreamIndex stream,
                                    std::shared_ptr<const UnitBatch> batch,
                                    std::shared_ptr<const Arena> weights,
                                    std::shared_ptr<Arena> gradients,
                                    PassProgress* progress) override;

 private:
  struct Tensor {
    size_t placement = 0;      // in the layout's list
    size_t first_element = 0;  // of all shards' arenas
  };

  void OccupyAndTell(absl::Duration time, const std::vector<Tensor>& tensors,
                     const PassMeasures& measures, PassProgress* progress);
  // Keeps the calling lane waiting.
  void Occupy(absl::Duration time);

  const Simulation simulation_;
  const GradientStreams streams_;
  std::vector<std::vector<Tensor>> tensors_;  // by stream
  Timer* const timer_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_SIMULATE_SIMULATED_COMPUTE_H_
