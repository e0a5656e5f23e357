// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/evaluation.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {
namespace {

using Accuracies = google::protobuf::RepeatedPtrField<v1::NamedAccuracy>;

std::vector<NamedAccuracy> ReadAccuracies(const Accuracies& accuracies) {
  std::vector<NamedAccuracy> result;
  for (const v1::NamedAccuracy& accuracy : accuracies) {
    result.push_back({accuracy.name(), accuracy.accuracy()});
  }
  return result;
}

void WriteAccuracies(const std::vector<NamedAccuracy>& accuracies, Accuracies* out) {
  for (const NamedAccuracy& accuracy : accuracies) {
    v1::NamedAccuracy* const added = out->Add();
    added->set_name(accuracy.name);
    added->set_accuracy(accuracy.accuracy);
  }
}

bool IsFraction(double value) { return value >= 0 && value <= 1; }

bool AreSound(const std::vector<NamedAccuracy>& accuracies, size_t most) {
  return accuracies.size() <= most &&
         std::all_of(accuracies.begin(), accuracies.end(), [](const NamedAccuracy& accuracy) {
           return accuracy.name.size() <= kLongestAccuracyName && IsFraction(accuracy.accuracy);
         });
}

}  // namespace

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
  result.attacks = ReadAccuracies(report.attacks());
  result.corruptions = ReadAccuracies(report.corruptions());
  result.warnings.assign(report.warnings().begin(), report.warnings().end());
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
  WriteAccuracies(result.attacks, report.mutable_attacks());
  WriteAccuracies(result.corruptions, report.mutable_corruptions());
  for (const std::string& warning : result.warnings) report.add_warnings(warning);
  return report;
}

absl::Status CheckEvaluation(const EvaluationResult& result) {
  if (result.examples == 0 || !IsFraction(result.clean_accuracy) ||
      !IsFraction(result.robust_accuracy.value_or(0))) {
    return absl::InvalidArgumentError("report: needs examples, and accuracies from 0 to 1");
  }
  if (!AreSound(result.attacks, kMostAttacks) || !AreSound(result.corruptions, kMostCorruptions)) {
    return absl::InvalidArgumentError(
        absl::StrCat("report: takes at most ", kMostAttacks, " attacks and ", kMostCorruptions,
                     " corruptions, each with a name of at most ", kLongestAccuracyName,
                     " bytes and an accuracy from 0 to 1"));
  }
  if (result.warnings.size() > kMostEvaluationWarnings ||
      std::any_of(result.warnings.begin(), result.warnings.end(), [](const std::string& warning) {
        return warning.size() > kLongestEvaluationWarning;
      })) {
    return absl::InvalidArgumentError(absl::StrCat("report: takes at most ",
                                                   kMostEvaluationWarnings, " warnings of at most ",
                                                   kLongestEvaluationWarning, " bytes"));
  }
  return absl::OkStatus();
}

}  // namespace conadv
