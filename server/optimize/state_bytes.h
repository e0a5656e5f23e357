// SPDX-License-Identifier: Apache-2.0
// What an optimizer's state will take, before there is one. Pure function.
#ifndef CONADV_SERVER_OPTIMIZE_STATE_BYTES_H_
#define CONADV_SERVER_OPTIMIZE_STATE_BYTES_H_

#include <cstddef>
#include <cstdint>

#include "common/job/job.h"

namespace conadv {

// Optimizer::state_bytes() for a shard's arena of so many elements.
uint64_t StateBytesOf(const OptimizerOptions& options, size_t arena_size);

}  // namespace conadv

#endif  // CONADV_SERVER_OPTIMIZE_STATE_BYTES_H_
