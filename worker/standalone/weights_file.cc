// SPDX-License-Identifier: Apache-2.0
#include "worker/standalone/weights_file.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

constexpr char kOtherJob[] = "; is it the job that these weights were trained with?";

std::string ShapeText(const std::vector<uint64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Whether a name is "PREFIX.NAME" for a NAME that there is.
bool IsTwin(const std::string& name, const std::map<std::string, const Placement*>& placements) {
  const size_t dot = name.find('.');
  return dot != std::string::npos && placements.count(name.substr(dot + 1)) > 0;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Arena>> ArenaOf(const SafetensorsFile& file,
                                                     const Layout& layout) {
  std::map<std::string, const Placement*> missing;
  for (const Placement& placement : layout.placements()) {
    missing[placement.tensor.name] = &placement;
  }
  const std::map<std::string, const Placement*> all = missing;
  auto arena = std::make_shared<Arena>(layout.total_size());
  for (const NamedTensor& tensor : file.tensors) {
    const auto found = missing.find(tensor.name);
    if (found == missing.end()) {
      if (IsTwin(tensor.name, all)) continue;
      return absl::InvalidArgumentError(
          absl::StrCat("the model has no tensor ", Printable(tensor.name), kOtherJob));
    }
    const Placement& placement = *found->second;
    const std::vector<uint64_t> shape(placement.tensor.shape.begin(), placement.tensor.shape.end());
    if (tensor.shape != shape) {
      return absl::InvalidArgumentError(absl::StrCat(tensor.name, " has the shape ",
                                                     ShapeText(tensor.shape), ", the model's ",
                                                     ShapeText(shape), kOtherJob));
    }
    std::copy(tensor.values.begin(), tensor.values.end(),
              arena->span().begin() + static_cast<int64_t>(layout.global_offset(placement)));
    missing.erase(found);
  }
  if (!missing.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("has no tensor ", missing.begin()->first, kOtherJob));
  }
  return std::shared_ptr<const Arena>(std::move(arena));
}

}  // namespace conadv
