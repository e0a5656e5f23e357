// SPDX-License-Identifier: Apache-2.0
// What differs between optimizers: how one tensor moves, and the state that it takes. A rule owns
// its state, as long as the shard's arena.
#ifndef CONADV_SERVER_OPTIMIZE_RULE_H_
#define CONADV_SERVER_OPTIMIZE_RULE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "common/job/job.h"
#include "common/tensor/arena.h"
#include "server/optimize/optimizer.h"
#include "server/optimize/tensor_update.h"

namespace conadv {

class Rule {
 public:
  virtual ~Rule() = default;

  // Before the tensors of the update that makes version `updates` (≥ 1).
  virtual void Begin(uint64_t updates) = 0;
  // Whether Update needs to be told what Measure found.
  virtual bool NeedsMeasured(const TensorUpdate& tensor) const = 0;
  // Whether Update may be given parts of a tensor, each with what Measure found in the whole.
  virtual bool TakesParts() const { return true; }
  // At the same time for several tensors, or parts of them. Writes tensor.next and moves the
  // tensor's state. `measured` may be nullptr unless it is needed; the streams' norms are returned
  // only if it is.
  virtual StreamNorms Update(const TensorUpdate& tensor, const Measured* measured) = 0;

  virtual std::vector<Optimizer::StateTensor> state() = 0;
};

// PyTorch's SGD without dampening: m ← μ·m + (g + λ·θ); θ' = θ − rate·m, or with Nesterov θ −
// rate·(g + λ·θ + μ·m).
std::unique_ptr<Rule> MakeSgd(const SgdOptions& options, size_t arena_size);

// LARS (arXiv 1708.03888, algorithm 1): m ← μ·m + rate·ratio·(g + λ·θ); θ' = θ − m, with
// ratio = trust·‖θ‖ / (‖g‖ + λ·‖θ‖), or 1 if ‖θ‖ or ‖g‖ is 0.
std::unique_ptr<Rule> MakeLars(const LarsOptions& options, size_t arena_size);

// AdamW (arXiv 1711.05101, algorithm 2, as PyTorch's): θ' = (1 − rate·λ)·θ − rate·m̂ / (√v̂ + ε).
std::unique_ptr<Rule> MakeAdamW(const AdamWOptions& options, size_t arena_size);

// LAMB (arXiv 1904.00962, algorithm 2, φ the identity): u = m̂ / (√v̂ + ε) + λ·θ; θ' = θ −
// rate·ratio·u, with ratio = ‖θ‖ / ‖u‖, or 1 if either is 0.
std::unique_ptr<Rule> MakeLamb(const LambOptions& options, size_t arena_size);

// In all of them λ is the tensor's own weight decay, and the ratio 1 for tensors without one.

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_RULE_H_
