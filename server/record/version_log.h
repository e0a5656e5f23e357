// SPDX-License-Identifier: Apache-2.0
// What a shard published, for whoever watches: versions and their units, and metrics.
#ifndef CONADV_SERVER_RECORD_VERSION_LOG_H_
#define CONADV_SERVER_RECORD_VERSION_LOG_H_

#include <array>
#include <optional>
#include <variant>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "common/job/streams.h"
#include "server/coordinate/member.h"
#include "server/record/watch_log.h"
#include "server/shard/apply.h"

namespace conadv {

// Record i is version i.
struct PublishedVersion {
  Version version;
  std::optional<Unit> unit;  // none for version 0
  absl::Time published;      // wall clock
};
using VersionLog = WatchLog<PublishedVersion>;

// Means over one stream's contributions; 0 without any.
struct StreamMeasures {
  double loss = 0;
  double accuracy = 0;
};

struct StepMetrics {
  AppliedUpdate update;  // without contributions
  std::array<StreamMeasures, kMostStreams> streams;
  double seconds = 0;  // since version 0
};
using MetricsLog = WatchLog<std::variant<StepMetrics, EvaluationResult>>;

// `since`: after version 0.
StepMetrics MetricsOf(const AppliedUpdate& update, absl::Duration since);

}  // namespace conadv

#endif  // CONADV_SERVER_RECORD_VERSION_LOG_H_
