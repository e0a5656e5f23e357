// SPDX-License-Identifier: Apache-2.0
// What an evaluator found out about a version. A plain value, from and to the wire by pure
// functions.
#ifndef CONADV_COMMON_PROTOCOL_EVALUATION_H_
#define CONADV_COMMON_PROTOCOL_EVALUATION_H_

#include <cstdint>
#include <optional>

#include "common/base/ids.h"

namespace conadv {

namespace v1 {
class ReportRequest;
}  // namespace v1

struct EvaluationResult {
  Version version;
  uint64_t examples = 0;
  double clean_accuracy = 0;  // fraction
  double clean_loss = 0;
  std::optional<double> robust_accuracy;  // nothing: it was not measured
  double seconds = 0;                     // that it took
  bool final = false;
  Lineage lineage;  // of the version; 0: not said
};

// Any values: whether they make sense is for the coordinator to say.
EvaluationResult FromProto(const v1::ReportRequest& report);
v1::ReportRequest ToProto(const EvaluationResult& result);

}  // namespace conadv

#endif  // CONADV_COMMON_PROTOCOL_EVALUATION_H_
