// SPDX-License-Identifier: Apache-2.0
// How far a run is, as text: a bar for a terminal, a line for a log. Pure functions.
#ifndef CONADV_CLI_PROGRESS_PROGRESS_H_
#define CONADV_CLI_PROGRESS_PROGRESS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/protocol/evaluation.h"
#include "conadv/v1/inspector.pb.h"

namespace conadv {

struct ProgressState {
  std::string phase;        // what the run is doing while it is not training: "waiting for workers"
  std::string waiting_for;  // who has to come back before there can be another update: "server-0"
  // Updates done and to do; SSP and ASYNC make several a step.
  uint64_t version = 0;
  uint64_t final_version = 0;  // 0: not known yet
  uint32_t updates_per_step = 1;
  uint32_t global_batch = 0;
  // The run's streams, and their losses.
  bool clean = true;
  bool augmented = false;
  bool adversarial = false;
  double clean_loss = 0;
  double augmented_loss = 0;
  double adversarial_loss = 0;
  double attack_staleness = 0;  // means over the last update's contributions
  double update_staleness = 0;
  absl::Duration training_time;  // at the last update, as the server measured it
  absl::Time last_update;        // when we heard of it
  // Of the last evaluation.
  uint64_t evaluated_version = 0;
  std::optional<double> clean_accuracy;
  std::optional<double> robust_accuracy;
  EvaluationResult evaluation;

  uint64_t step() const { return version / updates_per_step; }
  uint64_t steps() const { return final_version / updates_per_step; }
  // The last update is done.
  bool trained() const { return final_version > 0 && version >= final_version; }
  // 0 before the first update.
  double examples_per_second() const;
};

// What a record of Inspector.WatchMetrics, heard at `now`, says about the run.
void Apply(const v1::MetricsRecord& record, absl::Time now, ProgressState* state);

// Until the last update, at the speed so far; none before the first, without an end, or while
// nobody makes progress: somebody is waited for, or no update has come for long.
std::optional<absl::Duration> TimeLeft(const ProgressState& state, absl::Time now);

// At most `width` columns: what matters least is left out first.
std::string ProgressBar(const ProgressState& state, absl::Time now, size_t width);
std::string ProgressLine(const ProgressState& state, absl::Time now);

}  // namespace conadv

#endif  // CONADV_CLI_PROGRESS_PROGRESS_H_
