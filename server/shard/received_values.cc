// SPDX-License-Identifier: Apache-2.0
#include "server/shard/received_values.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_cat.h"
#include "server/aggregate/add.h"

namespace conadv {

void ZeroPadding(const Layout& layout, uint32_t shard, const Range& range, float* values) {
  for (const size_t index : layout.tensors_of(shard)) {
    const Placement& placement = layout.placements()[index];
    if (placement.offset < range.begin || placement.offset >= range.end) continue;
    const size_t end = placement.offset + placement.tensor.size() - range.begin;
    const size_t padded_end = placement.offset + placement.tensor.padded_size() - range.begin;
    std::fill(values + end, values + padded_end, 0.0F);
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
