// SPDX-License-Identifier: Apache-2.0
// The update θ' = optimizer(θ, aggregate) of one shard. Out of place: readers of θ are never
// disturbed. Holds the optimizer's state; one call at a time.
#ifndef CONADV_SERVER_OPTIMIZE_OPTIMIZER_H_
#define CONADV_SERVER_OPTIMIZE_OPTIMIZER_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/job/job.h"
#include "common/job/streams.h"
#include "common/tensor/layout.h"
#include "common/thread/thread_pool.h"
#include "server/optimize/tensor_update.h"

namespace conadv {

// The sum of one stream's contributions, over the stream's range of the shard's arena.
struct Aggregate {
  const float* sum = nullptr;     // nullptr: the stream takes no part
  float weight = 0;               // multiplies the mean: GradientStream::weight
  uint32_t contributions = 0;     // the mean is sum / contributions; > 0 if there is a sum
  Branch branch = Branch::kMain;  // the stream's
  // Instead of `weight` in tensors of the branch's own: GradientStream::own_weight.
  std::optional<float> own_weight = std::nullopt;
};

struct Update {
  const float* weights = nullptr;  // θ, the shard's whole arena
  std::vector<Aggregate> streams;  // in the run's order; at most kMostStreams
  float rate = 0;                  // of the schedule
  float step_scale = 1;  // damping: scales the movement (rate · step_scale), never the statistics
  // DC-ASGD: g + compensation · g ⊙ g ⊙ (θ − used). nullptr: none.
  const float* used = nullptr;
  float compensation = 0;
  // What MeasureGradient found for this update, so that no tensor is measured twice; may be
  // nullptr.
  const std::vector<Measured>* measured = nullptr;
  float gradient_scale = 1;  // of every parameter's g: see ClipScale
};

// What scales a gradient of this L2 norm down to `most`: min(1, most / norm). A norm of infinity
// gives 0, one that is not a number 1, for one tensor's gradient as for all.
float ClipScale(double norm, float most);

struct UpdateNorms {
  // By stream: the L2 norm of this shard's mean gradient, statistics excluded; and its product with
  // the first stream's, over the tensors that both have.
  std::array<double, kMostStreams> norm{};
  std::array<double, kMostStreams> dot{};  // the first is 0
};

class Optimizer {
 public:
  virtual ~Optimizer() = default;

  // Writes θ' to `next` (the shard's whole arena, padding 0), and moves the state. Statistics move
  // by r + momentum · (mean batch statistic − r), where the mean is over all contributions of every
  // stream that has them; with a momentum of 0 by 1 / (batches + updates) of it, this one among
  // them. A tensor that no stream has, and
  // one that the job freezes, stays as it is, and so does its state; frozen ones take no part in
  // the norms. REQUIRES: arenas aligned to 64 bytes; padding 0 in weights, used and all sums.
  virtual UpdateNorms Apply(const Update& update, float* next) = 0;
  // Of each of the shard's tensors, in the order of Layout::tensors_of, before any clipping: all 0
  // for statistics, for frozen tensors and for what no stream has. Changes nothing, and needs no
  // `measured`.
  virtual std::vector<Measured> MeasureGradient(const Update& update) const = 0;

  // Named state tensors, each the length of the arena ("momentum", "second_moment"), for
  // checkpoints.
  struct StateTensor {
    std::string name;
    absl::Span<float> values;
  };
  virtual std::vector<StateTensor> state() = 0;
  // Bytes of state: what the memory formula counts.
  virtual uint64_t state_bytes() const = 0;
};

// TreatmentOf has each tensor's weight decay and trust ratio. The bits of θ' do not depend on how
// many shards there are. `layout` outlives the optimizer.
// `updates_done` is the version the state belongs to (AdamW's and LAMB's bias correction, means of
// all batches).
// Threads of `pool` that have nothing else to do help with large tensors; it outlives the optimizer
// and may be nullptr. The bits do not depend on how many there are.
std::unique_ptr<Optimizer> MakeOptimizer(const OptimizerOptions& options, const Layout& layout,
                                         uint32_t shard, uint64_t updates_done,
                                         ThreadPool* pool = nullptr);

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_OPTIMIZER_H_
