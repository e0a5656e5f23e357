// SPDX-License-Identifier: Apache-2.0
// One version of a whole model, read from all shards of a running job. Calls block.
#ifndef CONADV_CLI_CLIENT_WEIGHTS_H_
#define CONADV_CLI_CLIENT_WEIGHTS_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "cli/client/server_wait.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "common/protocol/pull_selector.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"

namespace conadv {

struct Weights {
  std::string job;
  Version version;
  Layout layout;
  std::shared_ptr<const Arena> values;  // all shards' arenas, one after the other
  bool averaged = false;                // they are the average of the version's

  uint32_t crc32c() const { return WeightsCrc32c(layout, values->span()); }
};

// Shard 0, at `coordinator`, chooses the version, and the other shards give the same one. Errors
// are the servers', with the name and the address before them: UNAVAILABLE at once if one is away,
// DEADLINE_EXCEEDED after `timeout` in all. Over connections that are not encrypted.
absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const PullSelector& selector,
                                    absl::Duration timeout);
// The same with the credentials of `wait`, and servers that are away are waited for while it has
// time left. What was read before is read again: the run may have gone back to a checkpoint.
// CANCELLED: the pause of `wait` said so.
absl::StatusOr<Weights> PullWeights(const std::string& coordinator, const PullSelector& selector,
                                    ServerWait* wait);

// The same without waiting for servers that are away, which is UNAVAILABLE: for who has to know
// whether the run has gone back meanwhile. A version that is yet to come is waited for, as long as
// `wait` has time left.
absl::StatusOr<Weights> TryPullWeights(const std::string& coordinator, const PullSelector& selector,
                                       const ServerWait& wait);

// As safetensors: every tensor by its name, and job, version, layout hash and crc as metadata, with
// averaged = true for an average.
std::string EncodeWeights(const Weights& weights);
absl::Status WriteWeights(const Weights& weights, const std::string& path, const FileSystem& files);

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_WEIGHTS_H_
