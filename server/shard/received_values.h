// SPDX-License-Identifier: Apache-2.0
// What is done to values that came from a peer before anything is computed with them. Pure
// functions.
#ifndef CONADV_SERVER_SHARD_RECEIVED_VALUES_H_
#define CONADV_SERVER_SHARD_RECEIVED_VALUES_H_

#include <cstdint>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "common/tensor/layout.h"

namespace conadv {

// Padding is whatever a peer sent; sums and norms count on zeros. `values` are the elements of
// `range` of the shard's arena, which may begin and end anywhere.
void ZeroPadding(const Layout& layout, uint32_t shard, const Range& range, float* values);

// INVALID_ARGUMENT: one of them is no number; the message has its tensor, and what may help.
absl::Status CheckFinite(const Layout& layout, uint32_t shard, const Range& range,
                         absl::Span<const float> values);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_RECEIVED_VALUES_H_
