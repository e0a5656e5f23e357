// SPDX-License-Identifier: Apache-2.0
// A network whose tensors are views of a flat arena: new weights arrive by pointing at another
// arena, and gradients are written where they will be sent from. Any network becomes one with
// mixture BatchNorm, without knowing. One thread at a time.
#ifndef CONADV_WORKER_MODEL_REPLICA_H_
#define CONADV_WORKER_MODEL_REPLICA_H_

#include <memory>
#include <vector>

#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "worker/model/network.h"

namespace conadv {

enum class Pass {
  kClean,        // training, MAIN tensors, gradients
  kAdversarial,  // training, AUXILIARY tensors (if there are any), gradients
  kAttack,       // BatchNorm with the AUXILIARY running statistics; parameters need no gradient
  kEvaluate,     // BatchNorm with the MAIN running statistics; parameters need no gradient
};

class Replica {
 public:
  // REQUIRES: the layout was made from TensorsOf(*network, ·).
  Replica(std::unique_ptr<Network> network, std::shared_ptr<const Layout> layout, Pass pass);

  // Points every tensor at its place in `weights` (all shards' arenas), and keeps them alive until
  // the next call. In kClean and kAdversarial BatchNorm's statistics are not among them: see
  // BindGradients.
  void BindWeights(std::shared_ptr<const Arena> weights);
  // kClean, kAdversarial: the gradient of each parameter goes to its place in `gradients`, and
  // BatchNorm's batch statistics to theirs. Zeroes the pass's part of it.
  void BindGradients(std::shared_ptr<Arena> gradients);
  // kClean, kAdversarial, after backward: turns the moved running statistics into those of the
  // batch, and lets go of the arena.
  void FinishGradients();

  torch::Tensor Forward(const torch::Tensor& images);
  Pass pass() const { return pass_; }
  const Layout& layout() const { return *layout_; }

 private:
  struct Binding {
    torch::Tensor tensor;
    size_t offset = 0;  // elements, in the concatenated arenas
    size_t size = 0;
    size_t padded_size = 0;
    std::vector<int64_t> shape;
    bool statistic = false;
    float momentum = 0;
    torch::Tensor own;  // of a statistic: where it points between two passes that train
  };

  std::unique_ptr<Network> network_;
  std::shared_ptr<const Layout> layout_;
  const Pass pass_;
  std::vector<Binding> bindings_;
  std::shared_ptr<const Arena> weights_;
  std::shared_ptr<Arena> gradients_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_REPLICA_H_
