// SPDX-License-Identifier: Apache-2.0
// A TorchScript module as a network, whoever made it. Any module that maps images [n, c, h, w] to
// logits [n, classes] will do; it is asked what it does, not told how to do it.
#ifndef CONADV_WORKER_MODEL_SCRIPT_SCRIPT_NETWORK_H_
#define CONADV_WORKER_MODEL_SCRIPT_SCRIPT_NETWORK_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/model/network.h"
#include "worker/model/script/layers.h"

namespace conadv {

// What a module does that its tensors do not show.
struct ScriptTraits {
  // Of each BatchNorm layer with running statistics: how much of a batch they take. 0: they are
  // means of all batches (a momentum of None).
  std::map<std::string, double> momentum;
  bool draws_random_numbers = false;
  // Whether a CPU is best given images with their channels last.
  bool channels_last = false;
};

// Tries the module on made-up images: in evaluation, in training, and backward. INVALID_ARGUMENT,
// in words: it does not take images of this shape, its answer is not one number for each class, it
// has nothing to train, a tensor that trains is not float32 or shares a part of its memory,
// BatchNorm does not follow the module's mode (torch.jit.trace writes one down; torch.jit.script
// does not), a BatchNorm layer with a momentum of None is used twice, or a buffer moves that is no
// statistic of BatchNorm. The module is as before.
absl::StatusOr<ScriptTraits> ProbeScript(const ScriptModule& module, const ImageShape& shape);

// Pixels enter the module as (x − mean) / deviation: one of each, or one for each channel.
struct PixelScale {
  std::vector<float> mean;
  std::vector<float> deviation;
};

// Makes networks with weights of their own, which begin as `module`'s; tensors that do not train
// are shared by all. `traits` are ProbeScript's.
NetworkFactory ScriptFactory(ScriptModule module, ScriptTraits traits, const PixelScale& scale);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SCRIPT_SCRIPT_NETWORK_H_
