// SPDX-License-Identifier: Apache-2.0
// What a shard published, for whoever watches: versions and their units, and metrics.
#ifndef CONADV_SERVER_RECORD_VERSION_LOG_H_
#define CONADV_SERVER_RECORD_VERSION_LOG_H_

#include <optional>
#include <variant>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/shard/apply.h"
#include "server/coordinate/member.h"
#include "server/record/watch_log.h"

namespace conadv {

// Record i is version i.
struct PublishedVersion {
  Version version;
  std::optional<Unit> unit;  // none for version 0
  absl::Time published;      // wall clock
};
using VersionLog = WatchLog<PublishedVersion>;

// An update's means over its contributions.
struct StepMetrics {
  AppliedUpdate update;  // without contributions
  double clean_loss = 0;
  double clean_accuracy = 0;
  double adversarial_loss = 0;
  double adversarial_accuracy = 0;
  double seconds = 0;  // since version 0
};
using MetricsLog = WatchLog<std::variant<StepMetrics, EvaluationResult>>;

// `since`: after version 0.
StepMetrics MetricsOf(const AppliedUpdate& update, absl::Duration since);

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_VERSION_LOG_H_
