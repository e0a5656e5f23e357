// SPDX-License-Identifier: Apache-2.0
// Concurrent adversarial learning in one process, as the paper writes it down (arXiv 2106.00221,
// algorithm 1, with mixture BatchNorm): plain LibTorch, no arenas, no versions on servers, no
// threads. What the system is compared with.
#ifndef CONADV_TESTS_INTEGRATION_REFERENCE_LOOP_H_
#define CONADV_TESTS_INTEGRATION_REFERENCE_LOOP_H_

#include <torch/torch.h>

#include <map>
#include <string>
#include <vector>

namespace conadv::reference {

using Weights = std::map<std::string, torch::Tensor>;  // named as in weights.safetensors

struct Options {
  bool adversarial = true;
  int tau = 1;
  std::string attack = "RAW";  // SIGN, L2, RAW; one step, no ball
  double step_size = 0.1;
  bool mixture = true;
  bool lars = false;
  double momentum = 0.9;
  double weight_decay = 0.001;
  double trust = 0.02;
  double rate = 0.05;
  int steps = 10;
  int slots = 4;
  double mean = 0.3;
  double deviation = 0.4;
};

// One slot's examples: images [n, 1, h, w] in [0, 1] and labels [n].
struct Examples {
  torch::Tensor images;
  torch::Tensor labels;
};

// Trains the mlp that `initial` has the weights of; `slots[step][slot]` are the examples. Returns
// the final weights.
Weights Train(const Weights& initial, const std::vector<std::vector<Examples>>& slots,
              const Options& options);

}  // namespace conadv::reference

#endif  // CONADV_TESTS_INTEGRATION_REFERENCE_LOOP_H_
