// SPDX-License-Identifier: Apache-2.0
#include "worker/model/script/module_tensors.h"

#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace conadv {
namespace {

bool HasTensor(const ScriptModule& module, const char* name) {
  return module.hasattr(name) && module.attr(name).isTensor();
}

// torch.nn's BatchNorm of any dimension, or a layer that keeps the same statistics.
bool IsBatchNorm(const ScriptModule& module) {
  if (HasTensor(module, "running_mean") && HasTensor(module, "running_var")) return true;
  const auto& name = module.type()->name();
  if (!name.has_value()) return false;
  for (const char* known : {"BatchNorm1d", "BatchNorm2d", "BatchNorm3d", "SyncBatchNorm"}) {
    if (name->name() == known) return true;
  }
  return false;
}

void Append(const ScriptModule& module, const std::string& layer,
            std::vector<ModuleTensor>* tensors) {
  const std::string prefix = layer.empty() ? "" : absl::StrCat(layer, ".");
  const bool batch_norm = IsBatchNorm(module);
  for (const auto& parameter : module.named_parameters(/*recurse=*/false)) {
    tensors->push_back({prefix + parameter.name, layer, parameter.value, true, batch_norm});
  }
  for (const auto& buffer : module.named_buffers(/*recurse=*/false)) {
    const bool statistic =
        batch_norm && (buffer.name == "running_mean" || buffer.name == "running_var");
    const bool counter = batch_norm && buffer.name == "num_batches_tracked";
    tensors->push_back(
        {prefix + buffer.name, layer, buffer.value, false, batch_norm, statistic, counter});
  }
  for (const auto& child : module.named_children()) {
    Append(child.value, prefix + child.name, tensors);
  }
}

}  // namespace

std::vector<ModuleTensor> TensorsOfModule(const ScriptModule& module) {
  std::vector<ModuleTensor> tensors;
  Append(module, "", &tensors);
  return tensors;
}

ScriptModule CopyOf(const ScriptModule& module) {
  torch::NoGradGuard no_grad;  // or the copies' gradients would go on to the originals
  ScriptModule copy = module.deepcopy();
  const std::vector<ModuleTensor> from = TensorsOfModule(module), to = TensorsOfModule(copy);
  std::map<const void*, size_t> first;  // of those that share their memory
  for (size_t i = 0; i < from.size(); ++i) {
    torch::Tensor tensor = to[i].tensor;
    if (from[i].parameter) tensor.set_requires_grad(from[i].tensor.requires_grad());
    if (from[i].tensor.numel() == 0) continue;
    const auto [known, is_first] = first.emplace(from[i].tensor.data_ptr(), i);
    const torch::Tensor& twin = to[known->second].tensor;
    if (!is_first && twin.sizes() == tensor.sizes()) tensor.set_data(twin.variable_data());
  }
  return copy;
}

void SetTraining(ScriptModule& module, bool training) {
  // A constant of that name is none that could be set.
  if (module.type()->hasAttribute("training")) module.setattr("training", training);
  for (ScriptModule child : module.children()) SetTraining(child, training);
}

std::string FirstLine(const std::string& what) {
  std::string last;
  // An error inside TorchScript is a traceback, whose last line but LibTorch's own frames says why.
  for (absl::string_view line : absl::StrSplit(what, '\n')) {
    if (absl::StartsWith(line, "Exception raised from")) break;
    if (absl::ConsumePrefix(&line, "RuntimeError: ")) return std::string(line);
    if (last.empty() && !absl::StripAsciiWhitespace(line).empty()) last = std::string(line);
  }
  return last;
}

}  // namespace conadv
