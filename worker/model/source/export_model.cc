// SPDX-License-Identifier: Apache-2.0
#include "worker/model/source/export_model.h"

#include <algorithm>
#include <exception>
#include <sstream>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "worker/model/script/module_tensors.h"

namespace conadv {
namespace {

void CopyWeights(const ScriptModule& module, const Layout& layout,
                 absl::Span<const float> weights) {
  torch::NoGradGuard no_grad;
  absl::flat_hash_map<absl::string_view, const Placement*> placements;
  for (const Placement& placement : layout.placements()) {
    placements[placement.tensor.name] = &placement;
  }
  for (const ModuleTensor& tensor : TensorsOfModule(module)) {
    // What is not there stays as it is: frozen, or another name of a tensor that is.
    const auto found = placements.find(tensor.name);
    if (found == placements.end()) continue;
    const Placement& placement = *found->second;
    const auto values = weights.subspan(layout.global_offset(placement), placement.tensor.size());
    torch::Tensor in_order = torch::empty(tensor.tensor.sizes());  // the module's own may not be
    std::copy(values.begin(), values.end(), in_order.data_ptr<float>());
    torch::Tensor(tensor.tensor).copy_(in_order);
  }
}

// An update is a batch to BatchNorm's counters.
void Count(const ScriptModule& initial, Version version, const ScriptModule& trained) {
  torch::NoGradGuard no_grad;
  const std::vector<ModuleTensor> from = TensorsOfModule(initial), to = TensorsOfModule(trained);
  for (size_t i = 0; i < from.size(); ++i) {
    if (!from[i].counter) continue;
    torch::Tensor(to[i].tensor).copy_(from[i].tensor + static_cast<int64_t>(version.value()));
  }
}

}  // namespace

absl::Status ExportModel(const ScriptModule& module, const Layout& layout,
                         absl::Span<const float> weights, Version version, const std::string& path,
                         const FileSystem& files) {
  std::ostringstream bytes;
  try {
    ScriptModule trained = CopyOf(module);
    CopyWeights(trained, layout, weights);
    Count(module, version, trained);
    SetTraining(trained, false);
    trained.save(bytes);
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("writing the model: ", FirstLine(error.what())));
  }
  return files.WriteAtomically(path, bytes.str());
}

}  // namespace conadv
