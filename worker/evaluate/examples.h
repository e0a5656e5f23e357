// SPDX-License-Identifier: Apache-2.0
// Which examples of a test set are evaluated. Pure function.
#ifndef CONADV_WORKER_EVALUATE_EXAMPLES_H_
#define CONADV_WORKER_EVALUATE_EXAMPLES_H_

#include <cstdint>
#include <vector>

#include "common/job/job.h"

namespace conadv {

// Their indices, rising: all `examples` if options.limit is 0 or no less, else the first ones, or
// with options.sample those that the seed draws.
std::vector<uint64_t> EvaluatedExamples(const EvaluationOptions& options, uint64_t seed,
                                        uint64_t examples);

}  // namespace conadv

#endif  // CONADV_WORKER_EVALUATE_EXAMPLES_H_
