// SPDX-License-Identifier: Apache-2.0
// Changes to a fuzz input, for builds without libFuzzer: blind to coverage, but repeatable. Pure
// function of the random stream.
#ifndef CONADV_TESTS_FUZZ_MUTATE_H_
#define CONADV_TESTS_FUZZ_MUTATE_H_

#include <string>
#include <vector>

#include "common/base/random.h"

namespace conadv::fuzz {

// One to eight changes: bits, bytes, numbers at their limits, pieces cut out, repeated, or taken
// from another input. At most `limit` bytes. REQUIRES: corpus is not empty.
std::string Mutate(std::string input, const std::vector<std::string>& corpus, size_t limit,
                   Random* random);

}  // namespace conadv::fuzz

#endif  // CONADV_TESTS_FUZZ_MUTATE_H_
