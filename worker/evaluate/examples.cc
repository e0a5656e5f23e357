// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/examples.h"

#include <algorithm>
#include <numeric>

#include "worker/data/permutation.h"

namespace conadv {

std::vector<uint64_t> EvaluatedExamples(const EvaluationOptions& options, uint64_t seed,
                                        uint64_t examples) {
  const uint64_t count = options.limit == 0 ? examples : std::min(options.limit, examples);
  std::vector<uint64_t> indices(count);
  std::iota(indices.begin(), indices.end(), 0);
  if (!options.sample || count == examples) return indices;
  // No epoch of training has this order.
  constexpr uint64_t kEvaluation = UINT64_MAX;
  for (uint64_t& index : indices) index = Permute(seed, kEvaluation, examples, index);
  std::sort(indices.begin(), indices.end());
  return indices;
}

}  // namespace conadv
