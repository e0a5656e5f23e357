// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/inspect/checkpoints_view.h"

#include <algorithm>
#include <vector>

namespace conadv {

v1::CheckpointsResponse ViewCheckpoints(const ServerParts& parts) {
  v1::CheckpointsResponse response;
  response.set_shard(parts.shard->shard());
  CheckpointReport stored = parts.checkpointer->Stored();
  response.set_directory(stored.directory);
  std::sort(stored.usable.begin(), stored.usable.end(),
            [](const auto& a, const auto& b) { return a.version > b.version; });
  for (const CheckpointId& id : stored.usable) {
    v1::CheckpointsResponse::Checkpoint* checkpoint = response.add_checkpoints();
    checkpoint->set_version(id.version.value());
    checkpoint->set_run(id.run.value());
    checkpoint->set_lineage(id.lineage.value());
  }
  for (const RefusedCheckpoint& one : stored.refused) {
    v1::CheckpointsResponse::Refused* refused = response.add_refused();
    refused->set_version(one.version.value());
    refused->set_reason(one.reason);
  }
  const Checkpointer::State state = parts.checkpointer->state();
  response.set_written(state.written);
  response.set_failed(state.failed);
  if (state.written > 0) {
    response.set_seconds_since_last(absl::ToDoubleSeconds(parts.clock->Now() - state.written_at));
    response.set_last_seconds(absl::ToDoubleSeconds(state.took));
  }
  if (!state.error.ok()) response.set_error(std::string(state.error.message()));
  if (parts.coordinator != nullptr) {
    if (const auto common = parts.coordinator->Read().checkpoint; common.has_value()) {
      response.set_has_common(true);
      response.set_common_version(common->value());
    }
  }
  return response;
}

}  // namespace conadv
