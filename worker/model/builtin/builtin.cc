// SPDX-License-Identifier: Apache-2.0
#include "worker/model/builtin/builtin.h"

#include <cmath>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "worker/model/builtin/architectures.h"
#include "worker/model/script/module_tensors.h"

namespace conadv {
namespace {

// What each needs: three halvings, or a last stage of at least one pixel.
int64_t LeastImage(const std::string& builtin) {
  if (builtin == "mlp") return 1;
  return 8;
}

ScriptModule Make(const ModelOptions& model, const ImageShape& shape) {
  const int64_t width = model.width;
  if (model.builtin == "mlp") return Mlp(width, shape);
  if (model.builtin == "convnet") return Convnet(width, shape);
  if (model.builtin == "resnet20") return ResNet20(width, shape);
  if (model.builtin == "resnet18") return ResNet18(width, model.stem, shape);
  if (model.builtin == "resnet50") return ResNet50(width, model.stem, shape);
  return PreActResNet18(width, shape);
}

// He's uniform initialisation (arXiv 1502.01852, eq. 10) for weights, the usual constants for the
// rest. Our own numbers, not LibTorch's: no other use of its generator moves them, and no
// mathematical library is in them.
void Initialize(const ScriptModule& module, uint64_t seed) {
  torch::NoGradGuard no_grad;
  uint64_t index = 0;  // of what is trained or averaged
  for (const ModuleTensor& to : TensorsOfModule(module)) {
    if (!to.parameter && !to.statistic) continue;
    if (to.tensor.dim() > 1) {
      const double fan_in = static_cast<double>(to.tensor.numel() / to.tensor.size(0));
      const auto bound = static_cast<float>(std::sqrt(6.0 / fan_in));
      Random random(seed, Purpose::kInitialWeights, index);
      float* values = to.tensor.data_ptr<float>();
      for (int64_t i = 0; i < to.tensor.numel(); ++i) {
        values[i] = (2 * random.NextFloat() - 1) * bound;
      }
    }
    ++index;
  }
}

}  // namespace

absl::StatusOr<ScriptModule> MakeBuiltin(const ModelOptions& model, const ImageShape& shape,
                                         uint64_t seed) {
  if (!IsBuiltinModel(model.builtin)) {
    return absl::InvalidArgumentError(absl::StrCat("model.builtin: there is no model \"",
                                                   model.builtin, "\"; choose one of ",
                                                   BuiltinModelNames()));
  }
  const int64_t least = LeastImage(model.builtin);
  if (shape.height < least || shape.width < least || shape.channels < 1 || shape.classes < 1) {
    return absl::InvalidArgumentError(absl::StrCat(
        "model.builtin: \"", model.builtin, "\" needs images of at least ", least, "x", least,
        " pixels, 1 channel and 1 class; the data set has ", shape.height, "x", shape.width,
        " pixels, ", shape.channels, " channels and ", shape.classes, " classes"));
  }
  ScriptModule module = Make(model, shape);
  Initialize(module, seed);
  return module;
}

}  // namespace conadv
