// SPDX-License-Identifier: Apache-2.0
#include <torch/csrc/jit/runtime/graph_executor.h>

#include <cmath>
#include <exception>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/status_macros.h"
#include "worker/model/script/module_tensors.h"
#include "worker/model/script/script_network.h"

namespace conadv {
namespace {

// So large that a batch adds nothing to a statistic that had it: what is left of it after a pass is
// the rest of the momentum alone.
constexpr float kLarge = 1125899906842624.0F;  // 2^50
constexpr int64_t kImages = 4;
// As many as BatchNorm is told to have seen: an average over all of them takes a part of the next
// batch that is nobody's momentum.
constexpr int64_t kBatches = 996;

absl::Status Wrong(const std::string& why) { return absl::InvalidArgumentError(why); }

std::string SizesOf(torch::IntArrayRef sizes) {
  return absl::StrCat("[", absl::StrJoin(sizes, ", "), "]");
}

// What a module holds, by name: tensors' values, and numbers'.
using State = std::map<std::string, torch::Tensor>;

void AppendState(const ScriptModule& module, const std::string& prefix, State* state) {
  for (const auto& attribute : module.named_attributes(/*recurse=*/false)) {
    const torch::jit::IValue& value = attribute.value;
    if (attribute.name == "training") continue;
    if (value.isTensor()) {
      (*state)[prefix + attribute.name] = value.toTensor().detach().clone();
    } else if (value.isScalar()) {
      (*state)[prefix + attribute.name] = torch::scalar_tensor(value.toScalar(), torch::kFloat64);
    }
  }
  for (const auto& child : module.named_children()) {
    AppendState(child.value, absl::StrCat(prefix, child.name, "."), state);
  }
}

// Deep nets that begin narrow: on a CPU most of their time goes to the order of their pixels, not
// to convolutions. By the model alone, as every worker must choose the same.
bool GainsFromChannelsLast(const std::vector<ModuleTensor>& tensors) {
  constexpr int kDeep = 8;
  constexpr int64_t kNarrow = 24;
  int convolutions = 0;
  bool narrow = false;
  for (const ModuleTensor& tensor : tensors) {
    if (!tensor.parameter || tensor.tensor.dim() != 4) continue;
    if (convolutions == 0) narrow = tensor.tensor.size(0) <= kNarrow;
    ++convolutions;
  }
  return narrow && convolutions >= kDeep;
}

class Probe {
 public:
  Probe(const ScriptModule& module, const ImageShape& shape)
      : module_(CopyOf(module)),
        shape_(shape),
        tensors_(TensorsOfModule(module_)),
        images_(torch::linspace(-1, 1, kImages * shape.channels * shape.height * shape.width)
                    .view({kImages, shape.channels, shape.height, shape.width})) {}

  absl::StatusOr<ScriptTraits> Run() {
    CONADV_RETURN_IF_ERROR(CheckTensors());
    CONADV_RETURN_IF_ERROR(Forward(/*training=*/false).status());
    for (const ModuleTensor& tensor : tensors_) {
      if (tensor.statistic) torch::Tensor(tensor.tensor).fill_(kLarge);
      if (tensor.counter) torch::Tensor(tensor.tensor).fill_(kBatches);
    }
    const State before = Now();
    CONADV_RETURN_IF_ERROR(Forward(false).status());
    CONADV_RETURN_IF_ERROR(CheckEvaluationMovesNothing(before));
    CONADV_ASSIGN_OR_RETURN(const torch::Tensor logits, Forward(/*training=*/true));
    if (!logits.requires_grad()) return Wrong("its answer does not depend on what it trains");
    try {
      logits.sum().backward();
    } catch (const std::exception& error) {
      return Wrong(absl::StrCat("it cannot go backward: ", FirstLine(error.what())));
    }
    CONADV_ASSIGN_OR_RETURN(ScriptTraits traits, TraitsAfter(before));
    traits.channels_last = GainsFromChannelsLast(tensors_) && TakesChannelsLast();
    return traits;
  }

 private:
  absl::Status CheckTensors() const {
    bool trains = false;
    for (const ModuleTensor& tensor : tensors_) {
      if (tensor.counter && tensor.tensor.lt(0).any().item<bool>()) {
        return Wrong(absl::StrCat(tensor.name,
                                  " is negative; set it to 0, or to how many batches "
                                  "the statistics were made of"));
      }
      if (!tensor.trains() && !tensor.statistic) continue;
      trains = trains || tensor.trains();
      if (tensor.tensor.scalar_type() != torch::kFloat32) {
        return Wrong(absl::StrCat(tensor.name, " is ", torch::toString(tensor.tensor.scalar_type()),
                                  "; conadv trains float32: save module.float()"));
      }
      if (tensor.tensor.numel() == 0) return Wrong(absl::StrCat(tensor.name, " has no elements"));
    }
    if (trains) return absl::OkStatus();
    return Wrong(
        "it has no parameter that trains: one that was frozen with torch.jit.freeze or "
        "requires_grad_(False) cannot be trained");
  }

  // A module that asks for view() where only reshape() will do takes one order alone.
  bool TakesChannelsLast() {
    images_ = images_.clone(torch::MemoryFormat::ChannelsLast);
    const absl::StatusOr<torch::Tensor> logits = Forward(/*training=*/true);
    if (!logits.ok()) return false;
    try {
      logits->sum().backward();
    } catch (const std::exception&) {
      return false;
    }
    return true;
  }

  absl::StatusOr<torch::Tensor> Forward(bool training) {
    SetTraining(module_, training);
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    const at::Generator generator = at::globalContext().defaultGenerator(at::kCPU);
    const torch::Tensor draws_before = generator.get_state();
    torch::jit::IValue answer;
    try {
      answer = module_.forward({images_});
    } catch (const std::exception& error) {
      return Wrong(absl::StrCat("it does not take images of the shape ", SizesOf(images_.sizes()),
                                ": ", FirstLine(error.what())));
    }
    draws_ = draws_ || !generator.get_state().equal(draws_before);
    if (!answer.isTensor()) {
      return Wrong(
          absl::StrCat("it returns ", answer.tagKind(), ", not one tensor of logits [n, classes]"));
    }
    torch::Tensor logits = answer.toTensor();
    if (logits.dim() != 2 || logits.size(0) != kImages) {
      return Wrong(absl::StrCat("it returns the shape ", SizesOf(logits.sizes()), " for ", kImages,
                                " images, not [", kImages, ", classes]"));
    }
    if (logits.size(1) != shape_.classes) {
      return Wrong(absl::StrCat("it tells ", logits.size(1), " classes apart; the data set has ",
                                shape_.classes));
    }
    if (logits.scalar_type() != torch::kFloat32) {
      return Wrong(
          absl::StrCat("its logits are ", torch::toString(logits.scalar_type()), ", not float32"));
    }
    return logits;
  }

  // Read anew: a module may put another tensor in a buffer's place.
  State Now() const {
    State state;
    AppendState(module_, "", &state);
    return state;
  }

  absl::Status CheckEvaluationMovesNothing(const State& before) const {
    for (const auto& [name, value] : Now()) {
      if (value.equal(before.at(name))) continue;
      return Wrong(absl::StrCat(
          name,
          " moves in evaluation, too: was the module traced while it trained? torch.jit.script "
          "keeps both modes"));
    }
    return absl::OkStatus();
  }

  absl::StatusOr<ScriptTraits> TraitsAfter(const State& before) const {
    State after = Now();
    ScriptTraits traits;
    traits.draws_random_numbers = draws_;
    for (const ModuleTensor& tensor : tensors_) {
      if (!tensor.statistic) continue;
      if (after.at(tensor.name).equal(before.at(tensor.name))) {
        return Wrong(
            absl::StrCat(tensor.name,
                         " does not move while it trains: was the module traced in evaluation? "
                         "torch.jit.script keeps both modes"));
      }
      CONADV_ASSIGN_OR_RETURN(traits.momentum[tensor.layer], MomentumOf(tensor, after));
    }
    for (const ModuleTensor& tensor : tensors_) {
      if (tensor.counter || tensor.statistic) after.erase(tensor.name);
    }
    for (const auto& [name, value] : after) {
      if (value.equal(before.at(name))) continue;
      return Wrong(absl::StrCat(name,
                                " moves while it trains and is no statistic of BatchNorm: "
                                "workers could not agree on it"));
    }
    return traits;
  }

  // 0 for a mean of all batches.
  static absl::StatusOr<double> MomentumOf(const ModuleTensor& statistic, const State& after) {
    const torch::Tensor& now = after.at(statistic.name);
    const double measured = 1 - static_cast<double>(now.flatten()[0].item<float>()) / kLarge;
    const auto counter = after.find(
        absl::StrCat(statistic.layer, statistic.layer.empty() ? "" : ".", "num_batches_tracked"));
    if (counter != after.end()) {
      const double batches = counter->second.item<double>() - kBatches;
      if (batches > 0 && std::abs(measured - batches / (kBatches + batches)) < 1e-6) {
        if (batches == 1) return 0;
        return Wrong(absl::StrCat(statistic.name,
                                  " is a mean of all batches (a momentum of None) "
                                  "and takes ",
                                  batches,
                                  " in one pass; give BatchNorm a momentum, "
                                  "as 0.1, or each place a layer of its own"));
      }
    }
    // People write momenta with a few digits; what is measured has an error of float32.
    const double rounded = std::round(measured * 1e6) / 1e6;
    return std::abs(measured - rounded) < 1e-7 ? rounded : measured;
  }

  ScriptModule module_;
  const ImageShape shape_;
  const std::vector<ModuleTensor> tensors_;
  torch::Tensor images_;
  bool draws_ = false;
};

// A copy of the module would not be one where tensors share their memory in part.
absl::Status CheckSharing(const ScriptModule& module) {
  std::map<const void*, ModuleTensor> first;  // of those that share a storage
  for (const ModuleTensor& tensor : TensorsOfModule(module)) {
    if (tensor.tensor.numel() == 0) continue;
    const auto [known, is_first] = first.emplace(tensor.tensor.storage().data(), tensor);
    if (is_first) continue;
    const ModuleTensor& other = known->second;
    const bool same = tensor.tensor.data_ptr() == other.tensor.data_ptr() &&
                      tensor.tensor.sizes() == other.tensor.sizes() &&
                      tensor.tensor.strides() == other.tensor.strides() &&
                      tensor.parameter == other.parameter && tensor.trains() == other.trains();
    if (same) continue;
    return Wrong(absl::StrCat(other.name, " and ", tensor.name,
                              " share their memory and are not the same tensor; give one of them "
                              "its own with clone()"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ScriptTraits> ProbeScript(const ScriptModule& module, const ImageShape& shape) {
  try {
    CONADV_RETURN_IF_ERROR(CheckSharing(module));
    return Probe(module, shape).Run();
  } catch (const std::exception& error) {
    return Wrong(absl::StrCat("it cannot be copied and tried: ", FirstLine(error.what())));
  }
}

}  // namespace conadv
