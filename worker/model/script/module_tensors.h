// SPDX-License-Identifier: Apache-2.0
// The tensors of a TorchScript module, by what training does to them.
#ifndef CONADV_WORKER_MODEL_SCRIPT_MODULE_TENSORS_H_
#define CONADV_WORKER_MODEL_SCRIPT_MODULE_TENSORS_H_

#include <string>
#include <utility>
#include <vector>

#include "worker/model/script/layers.h"

namespace conadv {

struct ModuleTensor {
  std::string name;   // as in the module's state dict
  std::string layer;  // the module that has it; empty for the outermost
  torch::Tensor tensor;
  bool parameter = false;
  bool batch_norm = false;  // its layer normalises batches
  // Of such a layer: running_mean or running_var.
  bool statistic = false;
  // Of such a layer: the count of batches.
  bool counter = false;

  bool trains() const { return parameter && tensor.requires_grad(); }
};

// In the module's order: each layer's parameters, then its buffers, then its children's. A tensor
// with several names comes with each of them.
std::vector<ModuleTensor> TensorsOfModule(const ScriptModule& module);

// A module with tensors of its own: as `module`'s, and shared among its names as there.
ScriptModule CopyOf(const ScriptModule& module);

// Of the module and all below it that have a mode.
void SetTraining(ScriptModule& module, bool training);

// What LibTorch says, without its stack: the line that a person needs.
std::string FirstLine(const std::string& what);

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SCRIPT_MODULE_TENSORS_H_
