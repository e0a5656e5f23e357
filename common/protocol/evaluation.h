// SPDX-License-Identifier: Apache-2.0
// What an evaluator found out about a version. A plain value, from and to the wire by pure
// functions.
#ifndef CONADV_COMMON_PROTOCOL_EVALUATION_H_
#define CONADV_COMMON_PROTOCOL_EVALUATION_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/ids.h"

namespace conadv {

namespace v1 {
class ReportRequest;
}  // namespace v1

struct NamedAccuracy {
  std::string name;
  double accuracy = 0;  // fraction

  friend bool operator==(const NamedAccuracy& a, const NamedAccuracy& b) {
    return a.name == b.name && a.accuracy == b.accuracy;
  }
};

struct EvaluationResult {
  Version version;
  uint64_t examples = 0;
  double clean_accuracy = 0;  // fraction
  double clean_loss = 0;
  std::optional<double> robust_accuracy;  // nothing: it was not measured
  double seconds = 0;                     // that it took
  bool final = false;
  Lineage lineage;  // of the version; 0: not said
  // After each attack of a suite of several: what withstands it and those before it.
  std::vector<NamedAccuracy> attacks;
  std::vector<NamedAccuracy> corruptions;
  std::vector<std::string> warnings;  // what makes the accuracies less to be believed
};

// Of one report. What a peer sends may have no more.
inline constexpr size_t kMostAttacks = 16;
inline constexpr size_t kMostCorruptions = 64;
inline constexpr size_t kMostEvaluationWarnings = 16;
inline constexpr size_t kLongestAccuracyName = 64;        // bytes
inline constexpr size_t kLongestEvaluationWarning = 512;  // bytes

// Any values: whether they make sense is for CheckEvaluation to say.
EvaluationResult FromProto(const v1::ReportRequest& report);
v1::ReportRequest ToProto(const EvaluationResult& result);

// Whether the result can be one: examples, fractions from 0 to 1, and no more nor longer than the
// limits above. INVALID_ARGUMENT says what is wrong.
absl::Status CheckEvaluation(const EvaluationResult& result);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_EVALUATION_H_
