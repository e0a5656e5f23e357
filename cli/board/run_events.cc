// SPDX-License-Identifier: Apache-2.0
#include "cli/board/run_events.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "absl/strings/str_cat.h"
#include "cli/board/event_record.h"
#include "cli/board/staleness_histogram.h"
#include "common/base/printable.h"

namespace conadv {
namespace {

// A histogram of one update says nothing, and of thousands of histograms nobody sees one.
constexpr uint64_t kLeastUpdates = 10;
constexpr uint64_t kWindows = 50;

void AddScalar(const std::string& tag, double value, tensorboard::Summary* summary) {
  tensorboard::Summary::Value* const out = summary->add_value();
  out->set_tag(tag);
  out->set_simple_value(static_cast<float>(value));
}

void AddHistogram(const char* tag, const std::vector<uint64_t>& values,
                  tensorboard::Summary* summary) {
  tensorboard::Summary::Value* const out = summary->add_value();
  out->set_tag(tag);
  *out->mutable_histo() = StalenessHistogram(values);
}

uint64_t WholeVersions(double staleness) { return std::llround(std::max(0.0, staleness)); }

}  // namespace

RunEvents::RunEvents(const TrainingOptions& training)
    : streams_(StreamsOf(training)),
      examples_per_update_(static_cast<double>(training.global_batch) /
                           training.updates_per_step()) {}

RunEvents::Events RunEvents::Begin(uint64_t version, uint64_t final_version, double seconds,
                                   absl::Time wall_now) {
  final_version_ = final_version;
  const auto after = [version](const Update& update) { return update.version > version; };
  updates_.erase(std::remove_if(updates_.begin(), updates_.end(), after), updates_.end());
  if (updates_.empty()) {
    window_version_ = version;
    window_seconds_ = seconds;
  }
  tensorboard::Event event = EventAt(version + 1, wall_now);
  event.mutable_session_log()->set_status(tensorboard::SessionLog::START);
  return {event};
}

RunEvents::Events RunEvents::Take(const v1::MetricsRecord& record, absl::Time wall_now) {
  if (record.has_evaluation()) {
    tensorboard::Event event = EventAt(record.evaluation().version(), wall_now);
    AddScalars(record.evaluation(), event.mutable_summary());
    return {event};
  }
  if (!record.has_step()) return {};
  const v1::MetricsRecord::Step& step = record.step();
  tensorboard::Event event = EventAt(step.version(), wall_now);
  AddScalars(step, event.mutable_summary());
  updates_.push_back({step.version(), step.seconds(), WholeVersions(step.attack_staleness()),
                      WholeVersions(step.update_staleness())});
  const uint64_t window = std::max(kLeastUpdates, final_version_ / kWindows);
  if (updates_.size() >= window || step.version() >= final_version_) {
    CloseWindow(event.mutable_summary());
  }
  return {event};
}

RunEvents::Events RunEvents::End(absl::Time wall_now) {
  if (updates_.empty()) return {};
  tensorboard::Event event = EventAt(updates_.back().version, wall_now);
  CloseWindow(event.mutable_summary());
  return {event};
}

void RunEvents::AddScalars(const v1::MetricsRecord::Step& step,
                           tensorboard::Summary* summary) const {
  for (const GradientStream& stream : streams_) {
    const auto add = [&](double loss, double accuracy, double norm) {
      AddScalar("loss/" + stream.name, loss, summary);
      AddScalar("accuracy/" + stream.name, accuracy, summary);
      AddScalar("gradient/" + stream.name + "_norm", norm, summary);
    };
    switch (stream.kind) {
      case StreamKind::kClean:
        add(step.clean_loss(), step.clean_accuracy(), step.clean_norm());
        break;
      case StreamKind::kAugmented:
        add(step.augmented_loss(), step.augmented_accuracy(), step.augmented_norm());
        break;
      case StreamKind::kAttack: AddScalar("loss/attack", step.attack_loss(), summary); break;
      case StreamKind::kAdversarial:
        add(step.adversarial_loss(), step.adversarial_accuracy(), step.adversarial_norm());
        if (streams_.size() > 1) AddScalar("gradient/cosine", step.cosine(), summary);
        AddScalar("staleness/attack_mean", step.attack_staleness(), summary);
        if (step.has_attack_cosine()) {
          AddScalar("staleness/attack_cosine", step.attack_cosine(), summary);
        }
        break;
    }
  }
  AddScalar("staleness/update_mean", step.update_staleness(), summary);
  AddScalar("rate", step.rate(), summary);
  AddScalar("seconds", step.seconds(), summary);
  // 0 where the job does not clip by it.
  if (step.gradient_norm() > 0) AddScalar("gradient/norm", step.gradient_norm(), summary);
}

void RunEvents::AddScalars(const v1::ReportRequest& evaluation,
                           tensorboard::Summary* summary) const {
  AddScalar("evaluation/clean_loss", evaluation.clean_loss(), summary);
  AddScalar("evaluation/clean_accuracy", evaluation.clean_accuracy(), summary);
  if (evaluation.robust()) {
    AddScalar("evaluation/robust_accuracy", evaluation.robust_accuracy(), summary);
  }
  for (const v1::NamedAccuracy& attack : evaluation.attacks()) {
    AddScalar(absl::StrCat("evaluation/after/", Printable(attack.name())), attack.accuracy(),
              summary);
  }
  for (const v1::NamedAccuracy& corruption : evaluation.corruptions()) {
    AddScalar(absl::StrCat("evaluation/corrupted/", Printable(corruption.name())),
              corruption.accuracy(), summary);
  }
  if (!evaluation.warnings().empty()) {
    AddScalar("evaluation/warnings", evaluation.warnings_size(), summary);
  }
  AddScalar("evaluation/seconds", evaluation.seconds(), summary);
}

void RunEvents::CloseWindow(tensorboard::Summary* summary) {
  std::vector<uint64_t> attack;
  std::vector<uint64_t> update;
  for (const Update& of : updates_) {
    attack.push_back(of.attack);
    update.push_back(of.update);
  }
  if (IndexOf(streams_, StreamKind::kAdversarial).has_value())
    AddHistogram("staleness/attack", attack, summary);
  AddHistogram("staleness/update", update, summary);
  const Update& last = updates_.back();
  const double seconds = last.seconds - window_seconds_;
  if (seconds > 0) {
    const auto updates = static_cast<double>(last.version - window_version_);
    AddScalar("examples_per_second", updates * examples_per_update_ / seconds, summary);
  }
  window_version_ = last.version;
  window_seconds_ = last.seconds;
  updates_.clear();
}

}  // namespace conadv
