// SPDX-License-Identifier: Apache-2.0
#include "cli/results/evaluation_details.h"

#include <cmath>
#include <optional>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/format/tables.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

std::string AccuracyText(double accuracy) { return absl::StrFormat("%.4f", accuracy); }

nlohmann::ordered_json ByName(const std::vector<NamedAccuracy>& accuracies) {
  nlohmann::ordered_json json = nlohmann::ordered_json::object();
  for (const NamedAccuracy& accuracy : accuracies) json[accuracy.name] = accuracy.accuracy;
  return json;
}

std::string Table(const std::string& what, const std::vector<NamedAccuracy>& accuracies) {
  std::vector<std::vector<std::string>> rows;
  for (const NamedAccuracy& accuracy : accuracies) {
    rows.push_back({Printable(accuracy.name), AccuracyText(accuracy.accuracy)});
  }
  return absl::StrCat("\n", FormatTable({what, "ACCURACY"}, rows));
}

}  // namespace

std::optional<double> MeanOf(const std::vector<NamedAccuracy>& accuracies) {
  if (accuracies.empty()) return std::nullopt;
  double sum = 0;
  for (const NamedAccuracy& accuracy : accuracies) sum += accuracy.accuracy;
  return sum / static_cast<double>(accuracies.size());
}

void AddDetails(const EvaluationDetails& details, nlohmann::ordered_json* json) {
  const std::optional<double> mean = MeanOf(details.corruptions);
  (*json)["attacks"] = ByName(details.attacks);
  (*json)["corruptions"] = ByName(details.corruptions);
  (*json)["corruption_accuracy"] = nullptr;
  if (mean.has_value()) (*json)["corruption_accuracy"] = *mean;
  (*json)["warnings"] = details.warnings;
}

std::string DetailsText(const EvaluationDetails& details) {
  std::string text;
  if (!details.attacks.empty()) absl::StrAppend(&text, Table("AFTER", details.attacks));
  if (!details.corruptions.empty()) {
    std::vector<NamedAccuracy> rows = details.corruptions;
    rows.push_back({"mean", *MeanOf(details.corruptions)});
    absl::StrAppend(&text, Table("CORRUPTION", rows));
  }
  for (const std::string& warning : details.warnings) {
    absl::StrAppend(&text, "\nwarning: ", Printable(warning), "\n");
  }
  return text;
}

std::string AttackText(const EvaluationOptions& evaluation) {
  const bool l2 = evaluation.norm == EvaluationNorm::kL2;
  const double levels = 255.0 * evaluation.epsilon;
  // As a number of grey levels, if it is a whole one.
  const bool whole = !l2 && std::abs(levels - std::round(levels)) < 1e-3;
  std::string text = evaluation.suite == EvaluationSuite::kStandard
                         ? "STANDARD"
                         : absl::StrCat("PGD-", evaluation.attack_steps);
  if (evaluation.restarts > 1) absl::StrAppend(&text, " x ", evaluation.restarts);
  if (evaluation.loss == EvaluationLoss::kMargin) absl::StrAppend(&text, ", margin loss");
  if (l2) absl::StrAppend(&text, ", L2");
  return absl::StrCat(
      text, ", epsilon ",
      whole ? absl::StrFormat("%.0f/255", levels) : absl::StrFormat("%.4g", evaluation.epsilon));
}

}  // namespace conadv
