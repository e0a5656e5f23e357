// SPDX-License-Identifier: Apache-2.0
// How a shard learns the norm of a gradient that lies on all of them: everyone's squared norms are
// brought together in one place and added in one order, so that the bits do not depend on the
// number of shards.
#ifndef CONADV_SERVER_CLIP_NORM_EXCHANGE_H_
#define CONADV_SERVER_CLIP_NORM_EXCHANGE_H_

#include <functional>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/tensor/layout.h"

namespace conadv {

// What one shard has found of an update's gradient.
struct ShardNorms {
  Version version;              // that the update makes
  std::vector<double> squares;  // squared L2 norms, in the order of Layout::tensors_of
};

// The L2 norm over all shards: the root of the squares' sum in the model's order. Pure.
// REQUIRES: one list of each shard, with a square for each of its tensors.
double NormOf(const Layout& layout, absl::Span<const std::vector<double>> squares);

class NormExchange {
 public:
  // Called once, on any thread, maybe before Combine returns; must not block. An error: there will
  // be no answer, because this lineage is over or this process ends.
  using Callback = std::function<void(const absl::StatusOr<double>&)>;

  virtual ~NormExchange() = default;
  // Tells this shard's norms, and answers with those of all. Does not wait. One at a time.
  // REQUIRES: squares as NormOf takes them.
  virtual void Combine(const Layout& layout, ShardNorms own, Callback done) = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_CLIP_NORM_EXCHANGE_H_
