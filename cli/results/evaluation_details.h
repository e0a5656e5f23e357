// SPDX-License-Identifier: Apache-2.0
// What an evaluation found beside its two accuracies, as JSON and as text. Plain values, pure
// functions.
#ifndef CONADV_CLI_RESULTS_EVALUATION_DETAILS_H_
#define CONADV_CLI_RESULTS_EVALUATION_DETAILS_H_

#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "common/job/job.h"
#include "common/protocol/evaluation.h"

namespace conadv {

struct EvaluationDetails {
  std::vector<NamedAccuracy> attacks;  // after each, and those before it
  std::vector<NamedAccuracy> corruptions;
  std::vector<std::string> warnings;
};

// The mean over all; nothing without any.
std::optional<double> MeanOf(const std::vector<NamedAccuracy>& accuracies);

// Adds "attacks" and "corruptions", objects from names to accuracies, "corruption_accuracy", their
// mean or null, and "warnings", a list.
void AddDetails(const EvaluationDetails& details, nlohmann::ordered_json* json);

// A table of the attacks, one of the corruptions and a line for each warning; empty if there is
// nothing.
std::string DetailsText(const EvaluationDetails& details);

// "PGD-5, epsilon 8/255", or "STANDARD, L2, epsilon 0.5".
std::string AttackText(const EvaluationOptions& evaluation);

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_EVALUATION_DETAILS_H_
