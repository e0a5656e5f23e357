// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/evaluation.h"

#include "conadv/v1/coordinator.pb.h"

namespace conadv {

EvaluationResult FromProto(const v1::ReportRequest& report) {
  EvaluationResult result;
  result.version = Version(report.version());
  result.examples = report.examples();
  result.clean_accuracy = report.clean_accuracy();
  result.clean_loss = report.clean_loss();
  if (report.robust()) result.robust_accuracy = report.robust_accuracy();
  result.seconds = report.seconds();
  result.final = report.final();
  result.lineage = Lineage(report.lineage());
  return result;
}

v1::ReportRequest ToProto(const EvaluationResult& result) {
  v1::ReportRequest report;
  report.set_version(result.version.value());
  report.set_examples(result.examples);
  report.set_clean_accuracy(result.clean_accuracy);
  report.set_clean_loss(result.clean_loss);
  report.set_robust(result.robust_accuracy.has_value());
  report.set_robust_accuracy(result.robust_accuracy.value_or(0));
  report.set_seconds(result.seconds);
  report.set_final(result.final);
  report.set_lineage(result.lineage.value());
  return report;
}

}  // namespace conadv
