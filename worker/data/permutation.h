// SPDX-License-Identifier: Apache-2.0
// Which examples a unit has: a keyed permutation of the data set for each epoch, in O(1) memory (a
// Feistel network with cycle walking), so that any worker can work out any unit by itself. Pure
// functions.
#ifndef CONADV_WORKER_DATA_PERMUTATION_H_
#define CONADV_WORKER_DATA_PERMUTATION_H_

#include <cstdint>
#include <vector>

#include "common/base/ids.h"

namespace conadv {

// A bijection of [0, n), another for every (seed, epoch). REQUIRES: position < n.
uint64_t Permute(uint64_t seed, uint64_t epoch, uint64_t n, uint64_t position);

// The examples of a unit, `slot_size` of them: positions (step · slots + slot) · slot_size + i of
// the endless sequence of all epochs' permutations, one after the other.
std::vector<uint64_t> UnitExamples(uint64_t seed, uint64_t n, uint32_t slots, uint32_t slot_size,
                                   Unit unit);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_PERMUTATION_H_
