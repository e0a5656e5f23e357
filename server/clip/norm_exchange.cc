// SPDX-License-Identifier: Apache-2.0
#include "server/clip/norm_exchange.h"

#include <cmath>

namespace conadv {

double NormOf(const Layout& layout, absl::Span<const std::vector<double>> squares) {
  std::vector<double> by_tensor(layout.placements().size());
  for (uint32_t shard = 0; shard < layout.shards(); ++shard) {
    const absl::Span<const size_t> tensors = layout.tensors_of(shard);
    for (size_t t = 0; t < tensors.size(); ++t) by_tensor[tensors[t]] = squares[shard][t];
  }
  double sum = 0;
  for (const double square : by_tensor) sum += square;
  return std::sqrt(sum);
}

}  // namespace conadv
