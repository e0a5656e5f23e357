// SPDX-License-Identifier: Apache-2.0
// What the evaluating program says, line by line, and how people see it. Plain values, pure
// functions.
#ifndef CONADV_CLI_EVALUATE_OUTCOME_H_
#define CONADV_CLI_EVALUATE_OUTCOME_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "cli/results/evaluation_details.h"
#include "common/job/job.h"

namespace conadv {

struct EvalProgress {
  std::string stage;
  uint64_t examples = 0;
  uint64_t done = 0;
  uint64_t right = 0;
  uint64_t standing = 0;
};

struct EvalResult {
  uint64_t version = 0;
  uint64_t examples = 0;
  double clean_accuracy = 0;
  double clean_loss = 0;
  std::optional<double> robust_accuracy;
  EvaluationDetails details;
  double seconds = 0;
};

struct EvalState {
  EvalProgress progress;
  absl::Time stage_began;  // when the examples began that `progress` counts
  std::optional<EvalResult> result;
};

// Takes a line that came at `now`; what is none of the program's is passed over.
void TakeLine(absl::string_view line, absl::Time now, EvalState* state);

// "512/1000  Square  clean 0.842  robust 0.461  ETA 1:02", cut to `width`.
std::string EvalProgressText(const EvalState& state, absl::Time now, size_t width);

std::string EvalJson(const EvalResult& result);
std::string EvalText(const EvalResult& result, const Job& job);

}  // namespace conadv

#endif  // CONADV_CLI_EVALUATE_OUTCOME_H_
