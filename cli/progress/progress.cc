// SPDX-License-Identifier: Apache-2.0
#include "cli/progress/progress.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "cli/format/tables.h"

namespace conadv {
namespace {

// Far longer without an update than they take.
bool IsStalled(const ProgressState& state, absl::Time now) {
  constexpr absl::Duration kLeast = absl::Seconds(10);
  constexpr int kUpdates = 20;
  const absl::Duration update = state.training_time / static_cast<double>(state.version);
  return now - state.last_update > std::max(kLeast, kUpdates * update);
}

double Share(const ProgressState& state) {
  if (state.final_version == 0) return 0;
  return std::min(1.0,
                  static_cast<double>(state.version) / static_cast<double>(state.final_version));
}

std::string Steps(const ProgressState& state) {
  if (state.final_version == 0) return absl::StrCat("step ", state.step());
  // Rounded down: 100 % is the end and nothing else.
  return absl::StrCat("step ", state.step(), "/", state.steps(), " ",
                      static_cast<int>(100 * Share(state)), "%");
}

std::string Losses(const ProgressState& state) {
  std::vector<std::string> losses;
  if (state.clean) losses.push_back(absl::StrFormat("%.3f", state.clean_loss));
  if (state.augmented) losses.push_back(absl::StrFormat("aug %.3f", state.augmented_loss));
  if (state.adversarial) losses.push_back(absl::StrFormat("adv %.3f", state.adversarial_loss));
  return absl::StrCat("loss ", absl::StrJoin(losses, " / "));
}

// What there is to say, the most important first.
std::vector<std::string> Parts(const ProgressState& state, absl::Time now) {
  std::vector<std::string> parts = {Steps(state)};
  if (!state.phase.empty()) parts.push_back(state.phase);
  if (state.version == 0) return parts;
  parts.push_back(Losses(state));
  if (!state.waiting_for.empty()) {
    parts.push_back(absl::StrCat("waiting for ", state.waiting_for));
  } else if (state.final_version > 0 && state.phase.empty()) {
    const std::optional<absl::Duration> left = TimeLeft(state, now);
    parts.push_back(absl::StrCat("ETA ", left.has_value() ? FormatElapsed(*left) : "–"));
  }
  if (state.clean_accuracy.has_value()) {
    parts.push_back(absl::StrFormat("clean %.1f%%", 100 * *state.clean_accuracy));
  }
  parts.push_back(absl::StrFormat("%.0f examples/s", state.examples_per_second()));
  std::string staleness = "staleness";
  if (state.adversarial) absl::StrAppendFormat(&staleness, " attack %.1f", state.attack_staleness);
  absl::StrAppendFormat(&staleness, " update %.1f", state.update_staleness);
  parts.push_back(staleness);
  return parts;
}

}  // namespace

double ProgressState::examples_per_second() const {
  const double seconds = absl::ToDoubleSeconds(training_time);
  if (version == 0 || seconds <= 0) return 0;
  return static_cast<double>(version) / updates_per_step * global_batch / seconds;
}

void Apply(const v1::MetricsRecord& record, absl::Time now, ProgressState* state) {
  switch (record.record_case()) {
    case v1::MetricsRecord::kStep: {
      const v1::MetricsRecord::Step& step = record.step();
      state->phase.clear();
      state->waiting_for.clear();
      state->version = step.version();
      state->clean_loss = step.clean_loss();
      state->augmented_loss = step.augmented_loss();
      state->adversarial_loss = step.adversarial_loss();
      state->attack_staleness = step.attack_staleness();
      state->update_staleness = step.update_staleness();
      state->training_time = absl::Seconds(step.seconds());
      state->last_update = now;
      if (state->version == state->final_version) state->phase = "evaluating";
      break;
    }
    case v1::MetricsRecord::kEvaluation:
      state->evaluation = FromProto(record.evaluation());
      state->evaluated_version = record.evaluation().version();
      state->clean_accuracy = record.evaluation().clean_accuracy();
      state->robust_accuracy.reset();
      if (record.evaluation().robust()) {
        state->robust_accuracy = record.evaluation().robust_accuracy();
      }
      break;
    case v1::MetricsRecord::RECORD_NOT_SET: break;
  }
}

std::optional<absl::Duration> TimeLeft(const ProgressState& state, absl::Time now) {
  if (state.version == 0 || state.final_version == 0) return std::nullopt;
  if (!state.waiting_for.empty() || IsStalled(state, now)) return std::nullopt;
  const uint64_t left = state.final_version - std::min(state.version, state.final_version);
  const absl::Duration at_last_update =
      state.training_time * (static_cast<double>(left) / static_cast<double>(state.version));
  // It goes on counting down between two updates.
  return std::max(at_last_update - (now - state.last_update), absl::ZeroDuration());
}

std::string ProgressBar(const ProgressState& state, absl::Time now, size_t width) {
  constexpr size_t kLeastBar = 10;
  constexpr size_t kMostBar = 40;
  std::vector<std::string> parts = Parts(state, now);
  std::string text = absl::StrJoin(parts, "  ");
  while (parts.size() > 1 && DisplayWidth(text) + kLeastBar + 3 > width) {
    parts.pop_back();
    text = absl::StrJoin(parts, "  ");
  }
  if (DisplayWidth(text) > width) return std::string(width, '.');
  if (DisplayWidth(text) + kLeastBar + 3 > width) return text;
  const size_t length = std::min(width - DisplayWidth(text) - 3, kMostBar);
  const auto done = static_cast<size_t>(Share(state) * static_cast<double>(length));
  return absl::StrCat("[", std::string(done, '='), std::string(length - done, ' '), "] ", text);
}

std::string ProgressLine(const ProgressState& state, absl::Time now) {
  return absl::StrJoin(Parts(state, now), ", ");
}

}  // namespace conadv
