// SPDX-License-Identifier: Apache-2.0
// How the optimizer treats each tensor: what the job's patterns say of it, and the optimizer's own
// rules otherwise. Pure functions.
#ifndef CONADV_COMMON_PLAN_TENSOR_RULES_H_
#define CONADV_COMMON_PLAN_TENSOR_RULES_H_

#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "common/job/job.h"
#include "common/tensor/layout.h"

namespace conadv {

struct TensorTreatment {
  float weight_decay = 0;
  bool trust_ratio = false;  // LARS and LAMB: scaled by one
  bool frozen = false;       // stays as it is, bit for bit; a statistic too

  friend bool operator==(const TensorTreatment& a, const TensorTreatment& b) {
    return a.weight_decay == b.weight_decay && a.trust_ratio == b.trust_ratio &&
           a.frozen == b.frozen;
  }
};

// The first of options.tensors that matches holds, in what it sets. Otherwise a WEIGHT decays and
// has a trust ratio, and other tensors do neither. Statistics know nothing but `frozen`.
TensorTreatment TreatmentOf(const OptimizerOptions& options, const TensorSpec& tensor);

// Whether every pattern has an effect on the model. INVALID_ARGUMENT: one matches no tensor (the
// message has the nearest name), none that an earlier one has left, or nothing but statistics,
// which neither decay nor have a trust ratio; or nothing is left to train.
absl::Status CheckTensorRules(const OptimizerOptions& options,
                              absl::Span<const TensorSpec> tensors);

// The name that patterns know a tensor by: a twin's is its main tensor's.
absl::string_view MainName(const TensorSpec& tensor);

// * stands for any text, ? for one character; the whole name has to match.
bool MatchesPattern(absl::string_view pattern, absl::string_view name);

}  // namespace conadv

#endif  // CONADV_COMMON_PLAN_TENSOR_RULES_H_
