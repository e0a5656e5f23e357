// SPDX-License-Identifier: Apache-2.0
// A network whose tensors are views of flat memory on a device: new weights arrive by pointing at
// another version's, and gradients gather where the device takes them from. Any network becomes one
// with mixture BatchNorm, without knowing. One thread at a time.
#ifndef CONADV_WORKER_MODEL_REPLICA_H_
#define CONADV_WORKER_MODEL_REPLICA_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "common/job/job.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "worker/device/device.h"
#include "worker/model/network.h"

namespace conadv {

// Where a branch has no BatchNorm of its own, MAIN's or the SHARED one is its.
enum class Pass {
  kClean,          // training, MAIN tensors, gradients
  kAugmented,      // training, AUGMENTED tensors, gradients
  kAdversarial,    // training, AUXILIARY tensors, gradients
  kAttack,         // BatchNorm with the AUXILIARY running statistics; parameters need no gradient
  kAttackInBatch,  // AUXILIARY tensors, normalised over the batch; parameters need no gradient
  kEvaluate,       // BatchNorm with the MAIN running statistics; parameters need no gradient
};

// Of a stream that goes through the branch's BatchNorm.
Pass TrainingPass(Branch branch);

class Replica {
 public:
  // The device outlives the replica. REQUIRES: the layout was made from TensorsOf(*network, ·).
  Replica(std::unique_ptr<Network> network, std::shared_ptr<const Layout> layout, Pass pass,
          Device* device, Precision precision = Precision::kFp32);

  // Points every tensor at its place in `weights` (all shards' arenas) on the device, and keeps
  // them there until the next call. Statistics are not among them in passes that normalise over the
  // batch: they move there.
  void BindWeights(std::shared_ptr<const Arena> weights);
  // In training: the gradient of each parameter goes to its place in `gradients`, and BatchNorm's
  // batch statistics to theirs; both start at zero.
  void BindGradients(std::shared_ptr<Arena> gradients);
  // After BindGradients: whether what backward makes is in the arena at once.
  bool gradients_in_place() const { return gradients_->in_place(); }
  // In training, from a loss of Forward's logits: every gradient and statistic to its place.
  // `ready`, if there is one, hears of each tensor (its place in the layout's list) once it is not
  // written any more, as it comes; not of those that the loss does not depend on.
  using TensorReady = std::function<void(size_t placement)>;
  void Backward(const torch::Tensor& loss, const TensorReady& ready = nullptr);
  // In training, after backward: turns the moved running statistics into those of the
  // batch, and begins to bring the pass's part into the arena. It is there after FinishCopy() of
  // what this returns, or once that is gone; the rest of the arena is as it was.
  std::unique_ptr<GradientBuffer> FinishGradients();

  // What the model's random numbers are a function of, from here on; only for one that draws any.
  void SetSeed(uint64_t seed) { seed_ = seed; }
  // Images on the device → logits, float32 both, whatever the pass computes in.
  torch::Tensor Forward(const torch::Tensor& images);
  Pass pass() const { return pass_; }
  Device& device() const { return *device_; }
  const Layout& layout() const { return *layout_; }

 private:
  struct Binding {
    std::vector<torch::Tensor> tensors;  // one, or all that share their values
    size_t placement = 0;                // in the layout's list
    size_t offset = 0;                   // elements, in the concatenated arenas
    size_t size = 0;
    std::vector<int64_t> shape;
    bool statistic = false;
    float part = 1;     // of a statistic: how much of a batch it takes
    torch::Tensor own;  // of a statistic: where it moves when no gradients are bound
  };

  // What backward tells while it goes on; where it is does not change if the replica is moved.
  struct Listener {
    const TensorReady* ready = nullptr;
    std::vector<size_t> left;  // by binding: tensors that it has not come to yet
  };

  // Has backward tell when it is done with the tensors of a binding.
  void Listen(size_t binding);
  // Turns the moved running statistics into those of the batch.
  void FinishStatistics();

  std::unique_ptr<Network> network_;
  std::shared_ptr<const Layout> layout_;
  const Pass pass_;
  Device* const device_;
  const Precision precision_;
  uint64_t seed_ = 0;
  std::vector<Binding> bindings_;
  std::vector<ArenaRange> ranges_;  // of all bindings, with their padding, which travels too
  std::shared_ptr<const PlacedWeights> weights_;
  std::unique_ptr<GradientBuffer> gradients_;
  // What backward adds a tensor's gradient with: alive as long as they are to be listened to.
  std::vector<std::shared_ptr<torch::autograd::Node>> accumulators_;
  std::unique_ptr<Listener> listener_;
  bool finished_statistics_ = false;  // of the gradients that are bound
};

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_REPLICA_H_
