// SPDX-License-Identifier: Apache-2.0
#include "worker/model/source/open_model.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "worker/model/builtin/builtin.h"
#include "worker/model/script/script_network.h"
#include "worker/model/source/script_file.h"

namespace conadv {

absl::StatusOr<Model> OpenModel(const ModelOptions& model, const DatasetOptions& dataset,
                                const ImageShape& shape, uint64_t seed) {
  Model opened;
  if (dataset.mean.size() > 1 && static_cast<int64_t>(dataset.mean.size()) != shape.channels) {
    return absl::InvalidArgumentError(
        absl::StrCat("dataset.mean: there are ", dataset.mean.size(),
                     ", one for each channel; the data set's images have ", shape.channels));
  }
  const bool own = !model.torchscript.empty();
  if (own) {
    CONADV_ASSIGN_OR_RETURN(ScriptFile file, ReadScript(model.torchscript));
    opened.module = std::move(file.module);
    opened.fingerprint = file.fingerprint;
  } else {
    CONADV_ASSIGN_OR_RETURN(opened.module, MakeBuiltin(model, shape, seed));
  }
  absl::StatusOr<ScriptTraits> traits = ProbeScript(opened.module, shape);
  if (!traits.ok()) {
    const std::string name =
        own ? absl::StrCat("model.torchscript: ", model.torchscript) : "model.builtin";
    return absl::Status(traits.status().code(),
                        absl::StrCat(name, ": ", traits.status().message()));
  }
  PixelScale scale;
  scale.mean = dataset.mean;
  scale.deviation = dataset.deviation;
  opened.factory = ScriptFactory(opened.module, *std::move(traits), scale);
  return opened;
}

}  // namespace conadv
