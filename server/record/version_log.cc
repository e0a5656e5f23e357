// SPDX-License-Identifier: Apache-2.0
#include "server/record/version_log.h"

namespace conadv {

StepMetrics MetricsOf(const AppliedUpdate& update, absl::Duration since) {
  StepMetrics metrics;
  metrics.update = update;
  metrics.update.contributions.clear();
  metrics.seconds = absl::ToDoubleSeconds(since);
  double clean = 0;
  double adversarial = 0;
  for (const Contribution& contribution : update.contributions) {
    const bool is_clean = contribution.stream == GradientStream::kClean;
    (is_clean ? clean : adversarial) += 1;
    (is_clean ? metrics.clean_loss : metrics.adversarial_loss) += contribution.loss;
    (is_clean ? metrics.clean_accuracy : metrics.adversarial_accuracy) += contribution.accuracy;
  }
  if (clean > 0) {
    metrics.clean_loss /= clean;
    metrics.clean_accuracy /= clean;
  }
  if (adversarial > 0) {
    metrics.adversarial_loss /= adversarial;
    metrics.adversarial_accuracy /= adversarial;
  }
  return metrics;
}

}  // namespace conadv
