// SPDX-License-Identifier: Apache-2.0
// A model as the worker sees it: a function from images to logits, and a list of tensors. One
// thread at a time.
#ifndef CONADV_WORKER_MODEL_NETWORK_H_
#define CONADV_WORKER_MODEL_NETWORK_H_

#include <torch/torch.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "common/tensor/layout.h"
#include "worker/device/device.h"

namespace conadv {

struct NetworkTensor {
  std::string name;         // as in the module's state dict
  torch::Tensor tensor;     // the module's own handle: set_data() on it changes the network
  bool batch_norm = false;  // belongs to a BatchNorm layer
  bool statistic = false;   // a running mean or variance
  bool decays = false;      // a weight: decayed, and scaled by trust ratios
  double momentum = 0;      // of a statistic; 0: it is the mean of all batches
  // Its other names': the same values, and gradients that add up.
  std::vector<torch::Tensor> twins;
  uint64_t batches = 0;  // of a mean of all batches: how many are in it
};

class Network {
 public:
  virtual ~Network() = default;
  // Shape: images [n, channels, height, width] in [0, 1] → logits [n, classes].
  virtual torch::Tensor Forward(const torch::Tensor& images) = 0;
  virtual const std::vector<NetworkTensor>& tensors() const = 0;
  // In training BatchNorm normalises over the batch and moves its statistics; means of all batches
  // by all of it, as if each batch were the first.
  virtual void SetTraining(bool training) = 0;
  // Whether Forward draws from LibTorch's generator, as dropout does.
  virtual bool draws_random_numbers() const { return false; }
  // Gets ready to compute there: what is not among tensors() moves. Once, before the first Forward,
  // and not while another thread uses the factory; the device outlives what the factory made.
  virtual void MoveTo(Device&) {}
};

struct ImageShape {
  int64_t channels = 0;
  int64_t height = 0;
  int64_t width = 0;
  int64_t classes = 0;
};

// Makes networks of one architecture, with the same initial weights each time. One thread at a
// time.
using NetworkFactory = std::function<std::unique_ptr<Network>()>;

// The name of a BatchNorm tensor in a branch: "auxiliary.<name>", "augmented.<name>", or its own.
std::string BranchName(const std::string& name, Branch branch);

// The tensors that training moves, in the model's order. BatchNorm's are MAIN, and a copy of each
// for each branch of `twins` comes after all others; without twins, all are SHARED.
std::vector<TensorSpec> TensorsOf(const Network& network, absl::Span<const Branch> twins);

// Copies the network's own weights into the concatenated arenas; twins get their main
// tensor's values, padding gets zeros. REQUIRES: weights.size() == layout.total_size().
void CopyInitialWeights(const Network& network, const Layout& layout, absl::Span<float> weights);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_NETWORK_H_
