// SPDX-License-Identifier: Apache-2.0
#include "server/record/version_log.h"

namespace conadv {

StepMetrics MetricsOf(const AppliedUpdate& update, absl::Duration since) {
  StepMetrics metrics;
  metrics.update = update;
  metrics.update.contributions.clear();
  metrics.seconds = absl::ToDoubleSeconds(since);
  std::array<double, kMostStreams> contributions{};
  for (const Contribution& contribution : update.contributions) {
    const uint64_t stream = contribution.stream.value();
    contributions[stream] += 1;
    metrics.streams[stream].loss += contribution.loss;
    metrics.streams[stream].accuracy += contribution.accuracy;
  }
  for (size_t stream = 0; stream < kMostStreams; ++stream) {
    if (contributions[stream] == 0) continue;
    metrics.streams[stream].loss /= contributions[stream];
    metrics.streams[stream].accuracy /= contributions[stream];
  }
  return metrics;
}

}  // namespace conadv
