// SPDX-License-Identifier: Apache-2.0
#include "common/job/job.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <string>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr struct {
  absl::string_view name;
  uint32_t width;  // as its authors have it
} kBuiltinModels[] = {{"mlp", 16},      {"convnet", 16},  {"resnet20", 16},
                      {"resnet18", 64}, {"resnet50", 64}, {"preactresnet18", 64}};

}  // namespace

bool IsBuiltinModel(absl::string_view name) { return DefaultWidth(name) != 0; }

std::string BuiltinModelNames() {
  std::string names;
  for (const auto& model : kBuiltinModels) {
    absl::StrAppend(&names, names.empty() ? "" : ", ", model.name);
  }
  return names;
}

uint32_t DefaultWidth(absl::string_view builtin) {
  for (const auto& model : kBuiltinModels) {
    if (model.name == builtin) return model.width;
  }
  return 0;
}

uint64_t StepsOf(const TrainingOptions& training, uint64_t examples) {
  if (training.steps > 0) return training.steps;
  const double steps =
      std::floor(training.epochs * static_cast<double>(examples) / training.global_batch);
  // A double of 2^64 or more does not fit.
  if (steps >= 0x1p63) return uint64_t{1} << 63;
  return std::max(uint64_t{1}, static_cast<uint64_t>(steps));
}

absl::string_view AlgorithmName(Algorithm algorithm) {
  switch (algorithm) {
    case Algorithm::kConAdv: return "CONADV";
    case Algorithm::kDisAdv: return "DISADV";
    case Algorithm::kVanilla: return "VANILLA";
    case Algorithm::kFastAdvProp: return "FAST_ADVPROP";
    case Algorithm::kFree: return "FREE";
    case Algorithm::kFgsmRs: return "FGSM_RS";
    case Algorithm::kNFgsm: return "N_FGSM";
    case Algorithm::kPgd: return "PGD";
  }
  return "";
}

absl::string_view ConsistencyName(Consistency consistency) {
  switch (consistency) {
    case Consistency::kSync: return "SYNC";
    case Consistency::kSsp: return "SSP";
    case Consistency::kAsync: return "ASYNC";
  }
  return "";
}

}  // namespace conadv
