// SPDX-License-Identifier: Apache-2.0
// Where weights of a version come from. Thread-safe; `done` comes on any thread, perhaps at once.
#ifndef CONADV_CLIENT_TRANSFER_WEIGHT_SOURCE_H_
#define CONADV_CLIENT_TRANSFER_WEIGHT_SOURCE_H_

#include <functional>
#include <memory>

#include "absl/status/statusor.h"
#include "client/transfer/parameter_client.h"
#include "common/base/ids.h"
#include "common/tensor/arena.h"

namespace conadv {

struct VersionedWeights {
  Version version;
  std::shared_ptr<const Arena> weights;  // all shards' arenas
};

class WeightSource {
 public:
  using Done = std::function<void(absl::StatusOr<VersionedWeights>)>;
  virtual ~WeightSource() = default;
  virtual void Pull(const PullSelector& selector, Done done) = 0;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_WEIGHT_SOURCE_H_
