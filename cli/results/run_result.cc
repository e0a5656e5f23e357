// SPDX-License-Identifier: Apache-2.0
#include "cli/results/run_result.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "cli/format/json_output.h"
#include "cli/format/tables.h"
#include "cli/results/run_paths.h"

namespace conadv {
namespace {

nlohmann::ordered_json OrNull(const std::optional<double>& value) {
  if (!value.has_value()) return nullptr;
  return *value;
}

std::string MeasuredText(const std::optional<double>& accuracy) {
  return accuracy.has_value() ? absl::StrFormat("%.4f", *accuracy) : "not measured";
}

std::string HowToUse(const std::string& directory) {
  return absl::StrCat(
      "\nTo use the model, in Python:\n"
      "  import torch\n"
      "  model = torch.jit.load(\"",
      ModelPath(directory), "\")  # of images as (x - mean) / deviation, x in [0, 1]\n");
}

}  // namespace

std::string ResultJson(const RunResult& result, const std::string& directory) {
  nlohmann::ordered_json json = {{"steps", result.steps},
                                 {"version", result.version},
                                 {"seconds", result.seconds},
                                 {"examples_per_second", result.examples_per_second},
                                 {"clean_accuracy", OrNull(result.clean_accuracy)},
                                 {"robust_accuracy", OrNull(result.robust_accuracy)},
                                 {"out", directory},
                                 {"weights_crc32c", CrcText(result.weights_crc32c)},
                                 {"restarts", result.restarts},
                                 {"updates_recomputed", result.updates_recomputed}};
  AddDetails(result.evaluation, &json);
  return JsonLine(json);
}

std::string ResultText(const RunResult& result, const Job& job, const std::string& directory) {
  std::string robust = MeasuredText(result.robust_accuracy);
  if (result.robust_accuracy.has_value()) {
    absl::StrAppend(&robust, "  (", AttackText(job.evaluation), ")");
  }
  return absl::StrCat(
      FormatPairs({
          {"trained", absl::StrFormat("%d steps in %s, %.0f examples/s", result.steps,
                                      FormatElapsed(absl::Seconds(result.seconds)),
                                      result.examples_per_second)},
          {"clean accuracy", MeasuredText(result.clean_accuracy)},
          {"robust accuracy", robust},
          {"weights", absl::StrCat(WeightsPath(directory), "  (version ", result.version,
                                   ", crc32c ", CrcText(result.weights_crc32c), ")")},
          {"model", result.model ? absl::StrCat(ModelPath(directory), "  (TorchScript)")
                                 : "not written; the evaluator's log says why"},
          {"metrics", MetricsPath(directory)},
          {"charts", absl::StrCat(BoardDirectory(directory), "  (for TensorBoard)")},
          {"logs", LogDirectory(directory)},
      }),
      DetailsText(result.evaluation), result.model ? HowToUse(directory) : "");
}

}  // namespace conadv
