// SPDX-License-Identifier: Apache-2.0
#include "worker/model/network.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "glog/logging.h"

namespace conadv {
namespace {

TensorSpec SpecOf(const NetworkTensor& from, bool mixture) {
  TensorSpec spec;
  spec.name = from.name;
  for (const int64_t size : from.tensor.sizes()) spec.shape.push_back(static_cast<uint64_t>(size));
  spec.kind = from.statistic ? TensorKind::kStatistic
              : from.decays  ? TensorKind::kWeight
                             : TensorKind::kNoDecay;
  spec.branch = mixture && from.batch_norm ? Branch::kMain : Branch::kShared;
  spec.momentum = from.statistic ? static_cast<float>(from.momentum) : 0;
  spec.batches = from.batches;
  return spec;
}

}  // namespace

std::string BranchName(const std::string& name, Branch branch) {
  switch (branch) {
    case Branch::kShared:
    case Branch::kMain: break;
    case Branch::kAuxiliary: return "auxiliary." + name;
    case Branch::kAugmented: return "augmented." + name;
  }
  return name;
}

std::vector<TensorSpec> TensorsOf(const Network& network, absl::Span<const Branch> twins) {
  const bool mixture = !twins.empty();
  std::vector<TensorSpec> specs;
  for (const NetworkTensor& tensor : network.tensors()) specs.push_back(SpecOf(tensor, mixture));
  for (const Branch branch : twins) {
    for (const NetworkTensor& tensor : network.tensors()) {
      if (!tensor.batch_norm) continue;
      TensorSpec twin = SpecOf(tensor, mixture);
      twin.name = BranchName(tensor.name, branch);
      twin.branch = branch;
      specs.push_back(std::move(twin));
    }
  }
  return specs;
}

void CopyInitialWeights(const Network& network, const Layout& layout, absl::Span<float> weights) {
  CHECK_EQ(weights.size(), layout.total_size());
  absl::flat_hash_map<std::string, torch::Tensor> values;
  for (const NetworkTensor& from : network.tensors()) {
    const torch::Tensor value = from.tensor.detach().contiguous();
    values[from.name] = value;
    if (!from.batch_norm) continue;
    for (const Branch branch : {Branch::kAuxiliary, Branch::kAugmented}) {
      values[BranchName(from.name, branch)] = value;
    }
  }
  std::fill(weights.begin(), weights.end(), 0.0F);
  for (const Placement& placement : layout.placements()) {
    const auto value = values.find(placement.tensor.name);
    CHECK(value != values.end()) << "the network has no tensor " << placement.tensor.name;
    CHECK_EQ(static_cast<uint64_t>(value->second.numel()), placement.tensor.size())
        << placement.tensor.name;
    std::memcpy(weights.data() + layout.global_offset(placement), value->second.data_ptr<float>(),
                placement.tensor.size() * sizeof(float));
  }
}

}  // namespace conadv
