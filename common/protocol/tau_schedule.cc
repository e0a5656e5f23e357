// SPDX-License-Identifier: Apache-2.0
#include "common/protocol/tau_schedule.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace conadv {

absl::Status CheckTauChanges(const TauChanges& changes) {
  if (changes.size() > kMostTauChanges) {
    return absl::InvalidArgumentError(
        absl::StrCat("settings.tau: at most ", kMostTauChanges, " changes, got ", changes.size()));
  }
  for (size_t i = 0; i < changes.size(); ++i) {
    if (changes[i].tau > kMostTau || (i > 0 && changes[i].step <= changes[i - 1].step)) {
      return absl::InvalidArgumentError(
          absl::StrCat("settings.tau: must be ≤ ", kMostTau, ", by rising step"));
    }
  }
  return absl::OkStatus();
}

uint32_t TauAt(uint32_t job, const TauChanges& changes, Step at) {
  uint32_t tau = job;
  for (const TauChange& change : changes) {
    if (change.step <= at) tau = change.tau;
  }
  return tau;
}

uint32_t LargestTau(uint32_t job, const TauChanges& changes, Step from) {
  uint32_t largest = TauAt(job, changes, from);
  for (const TauChange& change : changes) {
    if (change.step > from) largest = std::max(largest, change.tau);
  }
  return largest;
}

TauChanges WithTau(TauChanges changes, const TauChange& change) {
  while (!changes.empty() && changes.back().step >= change.step) changes.pop_back();
  changes.push_back(change);
  return changes;
}

uint32_t MostTau(const Job& job) {
  const TrainingOptions& training = job.training;
  if (training.algorithm != Algorithm::kConAdv) return training.tau;
  // Shards may be one version apart, and one version is made while the oldest is needed.
  const uint32_t room = std::max(job.server.retain, 2U) - 2;
  return std::max(training.tau, std::min(room, kMostTau));
}

uint32_t MostVersionsBack(const Job& job) {
  // Without SYNC an attack takes what there is.
  if (!job.training.sync()) return job.training.versions_back();
  return std::max(job.training.versions_back(), MostTau(job));
}

}  // namespace conadv
