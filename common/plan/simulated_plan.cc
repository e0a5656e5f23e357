// SPDX-License-Identifier: Apache-2.0
#include "common/plan/simulated_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"

namespace conadv {
namespace {

// A slash is in no name of LibTorch's.
constexpr absl::string_view kPrefix = "simulated/";
constexpr uint64_t kTensors = 40;
constexpr uint64_t kLargestPart = 8;  // of what is left, for each of them

}  // namespace

std::vector<TensorSpec> SimulatedTensors(uint64_t parameters) {
  std::vector<TensorSpec> tensors;
  for (uint64_t left = parameters; left > 0;) {
    const bool last = tensors.size() + 1 == kTensors;
    const uint64_t size = last ? left : std::max<uint64_t>(1, left / kLargestPart);
    TensorSpec tensor;
    tensor.name = absl::StrCat(kPrefix, tensors.size());
    tensor.shape = {size};
    tensors.push_back(std::move(tensor));
    left -= size;
  }
  return tensors;
}

bool IsSimulated(const Plan& plan) {
  return !plan.tensors.empty() && absl::StartsWith(plan.tensors.front().name, kPrefix);
}

}  // namespace conadv
