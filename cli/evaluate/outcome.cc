// SPDX-License-Identifier: Apache-2.0
#include "cli/evaluate/outcome.h"

#include <exception>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/format/json_output.h"
#include "cli/format/tables.h"

namespace conadv {
namespace {

using Json = nlohmann::json;

std::vector<NamedAccuracy> AccuraciesOf(const Json& list) {
  std::vector<NamedAccuracy> accuracies;
  for (const Json& one : list) accuracies.push_back({one.at("name"), one.at("accuracy")});
  return accuracies;
}

EvalResult ResultOf(const Json& json) {
  EvalResult result;
  result.version = json.at("version");
  result.examples = json.at("examples");
  result.clean_accuracy = json.at("clean_accuracy");
  result.clean_loss = json.at("clean_loss");
  const Json& robust = json.at("robust_accuracy");
  if (!robust.is_null()) result.robust_accuracy = robust.get<double>();
  result.details.attacks = AccuraciesOf(json.at("attacks"));
  result.details.corruptions = AccuraciesOf(json.at("corruptions"));
  result.details.warnings = json.at("warnings").get<std::vector<std::string>>();
  result.seconds = json.at("seconds");
  return result;
}

double Share(uint64_t part, uint64_t whole) {
  return static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void TakeLine(absl::string_view line, absl::Time now, EvalState* state) {
  try {
    const Json json = Json::parse(line.begin(), line.end());
    if (json.contains("result")) {
      state->result = ResultOf(json.at("result"));
      return;
    }
    EvalProgress next;
    next.stage = json.at("stage");
    next.examples = json.at("examples");
    next.done = json.at("done");
    next.right = json.at("right");
    next.standing = json.at("standing");
    const bool begins = next.done == 0 && state->progress.done > 0;
    if (begins || state->progress.examples == 0) state->stage_began = now;
    state->progress = std::move(next);
  } catch (const std::exception&) {
    // A library's own line.
  }
}

std::string EvalProgressText(const EvalState& state, absl::Time now, size_t width) {
  const EvalProgress& progress = state.progress;
  std::string text = absl::StrCat(progress.done, "/", progress.examples, "  ", progress.stage);
  if (progress.done > 0) {
    absl::StrAppendFormat(&text, "  clean %.3f", Share(progress.right, progress.done));
    if (progress.standing > 0) {
      absl::StrAppendFormat(&text, "  robust %.3f", Share(progress.standing, progress.done));
    }
    const absl::Duration left =
        (now - state.stage_began) * Share(progress.examples - progress.done, progress.done);
    absl::StrAppend(&text, "  ETA ", FormatElapsed(left));
  }
  return text.substr(0, width);
}

std::string EvalJson(const EvalResult& result) {
  nlohmann::ordered_json json = {{"version", result.version},
                                 {"examples", result.examples},
                                 {"clean_accuracy", result.clean_accuracy},
                                 {"clean_loss", result.clean_loss}};
  json["robust_accuracy"] = nullptr;
  if (result.robust_accuracy.has_value()) json["robust_accuracy"] = *result.robust_accuracy;
  AddDetails(result.details, &json);
  json["seconds"] = result.seconds;
  return JsonLine(json);
}

std::string EvalText(const EvalResult& result, const Job& job) {
  std::vector<std::pair<std::string, std::string>> pairs = {
      {"version", absl::StrCat(result.version)},
      {"examples", absl::StrCat(result.examples)},
      {"clean accuracy", absl::StrFormat("%.4f", result.clean_accuracy)},
      {"robust accuracy", "not measured"},
      {"time", FormatElapsed(absl::Seconds(result.seconds))}};
  if (result.robust_accuracy.has_value()) {
    pairs[3].second =
        absl::StrFormat("%.4f  (%s)", *result.robust_accuracy, AttackText(job.evaluation));
  }
  return absl::StrCat(FormatPairs(pairs), DetailsText(result.details));
}

}  // namespace conadv
