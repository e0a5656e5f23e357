// SPDX-License-Identifier: Apache-2.0
// A running job's answers, as people read them. Pure functions.
#ifndef CONADV_CLI_INSPECT_RENDER_H_
#define CONADV_CLI_INSPECT_RENDER_H_

#include <string>

#include "absl/time/time.h"
#include "conadv/v1/inspector.pb.h"

namespace conadv {

std::string RenderStatus(const v1::StatusResponse& status);
std::string RenderWorkers(const v1::WorkersResponse& workers);
// `now` is the calendar's.
std::string RenderSnapshots(const v1::SnapshotsResponse& snapshots, absl::Time now);
std::string RenderStaleness(const v1::StalenessResponse& staleness, absl::Time now);

// Parts of it. "4" or "8-15"; "worker-0 x 2, worker-1 x 2".
std::string BucketText(const v1::Histogram::Bucket& bucket);
std::string ContributorsText(const v1::VersionContributors& version);

}  // namespace conadv

#endif  // CONADV_CLI_INSPECT_RENDER_H_
