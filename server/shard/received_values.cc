// SPDX-License-Identifier: Apache-2.0
#include "server/shard/received_values.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/aggregate/add.h"

namespace conadv {

void ZeroPadding(const Layout& layout, uint32_t shard, const Range& range, float* values) {
  const absl::Span<const size_t> tensors = layout.tensors_of(shard);
  const auto end_of = [&layout](size_t index) {
    const Placement& placement = layout.placements()[index];
    return placement.offset + placement.tensor.padded_size();
  };
  auto next = std::partition_point(tensors.begin(), tensors.end(),
                                   [&](size_t index) { return end_of(index) <= range.begin; });
  for (; next != tensors.end(); ++next) {
    const Placement& placement = layout.placements()[*next];
    if (placement.offset >= range.end) return;
    const size_t begin = std::max(placement.offset + placement.tensor.size(), range.begin);
    const size_t end = std::min(end_of(*next), range.end);
    for (size_t i = begin; i < end; ++i) values[i - range.begin] = 0;
  }
}

absl::Status CheckFinite(const Layout& layout, uint32_t shard, const Range& range,
                         absl::Span<const float> values) {
  const std::optional<size_t> bad = FindNotFinite(values);
  if (!bad.has_value()) return absl::OkStatus();
  const Placement* placement = layout.Find(shard, range.begin + *bad);
  return absl::InvalidArgumentError(
      absl::StrCat("tensor ", placement == nullptr ? "(padding)" : placement->tensor.name,
                   " has the value ", values[*bad], " at element ",
                   placement == nullptr ? 0 : range.begin + *bad - placement->offset,
                   "; a lower schedule.peak, a longer schedule.warmup, optimizer.clip_norm or "
                   "optimizer.global_clip_norm may help"));
}

}  // namespace conadv
