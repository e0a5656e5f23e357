// SPDX-License-Identifier: Apache-2.0
// What a run came to, as JSON and as text. Plain values, pure functions.
#ifndef CONADV_CLI_RESULTS_RUN_RESULT_H_
#define CONADV_CLI_RESULTS_RUN_RESULT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "cli/results/evaluation_details.h"
#include "common/job/job.h"

namespace conadv {

struct RunResult {
  uint64_t steps = 0;
  uint64_t version = 0;  // of the weights that were left
  double seconds = 0;    // of training
  double examples_per_second = 0;
  std::optional<double> clean_accuracy;
  std::optional<double> robust_accuracy;
  EvaluationDetails evaluation;
  uint32_t weights_crc32c = 0;
  bool model = true;                // whether model.pt was written
  uint64_t restarts = 0;            // of processes
  uint64_t updates_recomputed = 0;  // because of them
  // What did not go as it should after the weights were there, a line each.
  std::vector<std::string> problems;
};

// One line, without its end; null for what was not measured.
std::string ResultJson(const RunResult& result, const std::string& directory);
std::string ResultText(const RunResult& result, const Job& job, const std::string& directory);

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_RUN_RESULT_H_
