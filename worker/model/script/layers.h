// SPDX-License-Identifier: Apache-2.0
// The TorchScript modules that built-in models are made of: torch.nn's layers with its names and
// shapes, so that weights go both ways. Weights are 0, but BatchNorm's.
#ifndef CONADV_WORKER_MODEL_SCRIPT_LAYERS_H_
#define CONADV_WORKER_MODEL_SCRIPT_LAYERS_H_

#include <torch/script.h>

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace conadv {

using ScriptModule = torch::jit::Module;

struct Conv2dOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel = 1;
  int64_t stride = 1;
  int64_t padding = 0;
};

// Makes the modules of one model, which outlive it. One for all of a model: here each type gets a
// name of its own. LibTorch 1.13 looks for aliases in tables by the names of types; of one name 17
// types are nothing to it, and with 29 it took more than 22 GB.
class Layers {
 public:
  using Children = std::vector<std::pair<std::string, ScriptModule>>;

  // A module without anything in it. `name` is its type's, for people.
  ScriptModule New(const std::string& name) const;
  // The same with children, and the source of `def forward(self, x)`, whose body this is: each line
  // begins with two spaces. A child whose name is a number is getattr(self, "0") there.
  ScriptModule New(const std::string& name, const Children& children,
                   const std::string& body) const;
  // Children "0", "1", … one after the other, as torch.nn.Sequential.
  ScriptModule Sequential(const std::vector<ScriptModule>& children) const;
  // Without bias: a BatchNorm comes after it.
  ScriptModule Conv2d(const Conv2dOptions& options) const;
  // Of images as of rows; momentum 0.1, epsilon 1e-5. `weight` is what its weights begin with.
  ScriptModule BatchNorm(int64_t features, float weight = 1) const;
  ScriptModule Linear(int64_t in, int64_t out, bool bias) const;

 private:
  const std::shared_ptr<torch::jit::CompilationUnit> types_ =
      std::make_shared<torch::jit::CompilationUnit>();
};

}  // namespace conadv

#endif  // CONADV_WORKER_MODEL_SCRIPT_LAYERS_H_
