// SPDX-License-Identifier: Apache-2.0
// A linear classifier of four pixels, whose gradients can be worked out by hand.
#ifndef CONADV_TESTS_WORKER_ATTACK_LINEAR_H_
#define CONADV_TESTS_WORKER_ATTACK_LINEAR_H_

#include <torch/torch.h>

#include <memory>
#include <utility>
#include <vector>

#include "tests/worker/model/replicas.h"

namespace conadv {

// logits = x · weightᵀ. With two classes, label 0 and d = w_1 − w_0, the gradient of the loss in x
// is p_1 · d.
class LinearNetwork : public Network {
 public:
  // Shape: [classes, pixels].
  explicit LinearNetwork(torch::Tensor weight) {
    tensors_.push_back({"weight", std::move(weight), false, false, true, 0, {}});
  }
  torch::Tensor Forward(const torch::Tensor& images) override {
    return images.flatten(1).matmul(tensors_[0].tensor.t());
  }
  const std::vector<NetworkTensor>& tensors() const override { return tensors_; }
  void SetTraining(bool) override {}

 private:
  std::vector<NetworkTensor> tensors_;
};

inline Replica LinearReplica(const torch::Tensor& weight) {
  auto network = std::make_unique<LinearNetwork>(weight.clone());
  auto layout = LayoutOf(*network, false);
  auto weights = InitialWeights(*network, *layout);
  Replica replica(std::move(network), std::move(layout), Pass::kAttack, &TestDevice());
  replica.BindWeights(std::move(weights));
  return replica;
}

// Two classes that differ by `difference`, four numbers.
inline Replica TwoClasses(const std::vector<float>& difference) {
  return LinearReplica(torch::stack({torch::zeros(4), torch::tensor(difference)}));
}

// n images [n, 1, 2, 2] of one value.
inline torch::Tensor Flat(float value, int64_t n = 1) { return torch::full({n, 1, 2, 2}, value); }
inline torch::Tensor Label(int64_t label, int64_t n = 1) {
  return torch::full({n}, label, torch::kInt64);
}

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_ATTACK_LINEAR_H_
