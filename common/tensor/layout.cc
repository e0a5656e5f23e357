// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/base/little_endian.h"
#include "common/base/printable.h"
#include "common/tensor/crc32c.h"

namespace conadv {
namespace {

constexpr uint64_t kMaxElements = uint64_t{1} << 40;

absl::Status CheckTensor(const TensorSpec& tensor) {
  if (tensor.name.empty()) return absl::InvalidArgumentError("layout: a tensor without a name");
  uint64_t size = 1;
  for (const uint64_t extent : tensor.shape) {
    if (extent == 0 || extent > kMaxElements || size > kMaxElements / extent) {
      return absl::InvalidArgumentError(
          absl::StrCat("layout: tensor ", Printable(tensor.name), " has no or too many elements"));
    }
    size *= extent;
  }
  const bool statistic = tensor.kind == TensorKind::kStatistic;
  if (statistic && !(tensor.momentum >= 0 && tensor.momentum <= 1)) {
    return absl::InvalidArgumentError(absl::StrCat("layout: momentum of statistic ",
                                                   Printable(tensor.name),
                                                   " must be in [0, 1], got ", tensor.momentum));
  }
  return absl::OkStatus();
}

// The arena's order: MAIN, SHARED, AUXILIARY, AUGMENTED.
int BranchOrder(Branch branch) {
  switch (branch) {
    case Branch::kMain: return 0;
    case Branch::kShared: return 1;
    case Branch::kAuxiliary: return 2;
    case Branch::kAugmented: return 3;
  }
  return 1;
}

void AppendBytes(uint64_t value, std::string* out) { *out += LittleEndian(value); }

// FNV-1a: stable over builds and machines, and layouts do not need more.
uint64_t Fnv1a(const std::string& bytes) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : bytes) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash == 0 ? 1 : hash;
}

}  // namespace

uint64_t TensorSpec::size() const {
  return std::accumulate(shape.begin(), shape.end(), uint64_t{1}, std::multiplies<>());
}

uint64_t TensorSpec::padded_size() const {
  return (size() + kTensorAlignment - 1) / kTensorAlignment * kTensorAlignment;
}

absl::StatusOr<Layout> Layout::Create(std::vector<TensorSpec> tensors, uint32_t shards) {
  if (shards == 0) return absl::InvalidArgumentError("layout: there must be at least one shard");
  if (tensors.size() < shards) {
    return absl::InvalidArgumentError(
        absl::StrCat("layout: ", shards, " shards for ", tensors.size(),
                     " tensors; a tensor is kept whole, so use at most ", tensors.size()));
  }
  absl::flat_hash_set<std::string> names;
  for (const TensorSpec& tensor : tensors) {
    if (absl::Status status = CheckTensor(tensor); !status.ok()) return status;
    if (!names.insert(tensor.name).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("layout: two tensors are named ", Printable(tensor.name)));
    }
  }

  Layout layout;
  for (TensorSpec& tensor : tensors) {
    layout.auxiliary_ |= tensor.branch == Branch::kAuxiliary;
    layout.augmented_ |= tensor.branch == Branch::kAugmented;
    layout.placements_.push_back({std::move(tensor), 0, 0});
  }
  std::vector<Placement>& placements = layout.placements_;

  // Largest first on the least loaded shard, ties to the lowest number. With equal loads of 0 the
  // first `shards` tensors go to different shards, so none stays empty.
  std::vector<size_t> order(placements.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return placements[a].tensor.padded_size() > placements[b].tensor.padded_size();
  });
  std::vector<uint64_t> load(shards, 0);
  layout.by_shard_.resize(shards);
  for (const size_t index : order) {
    const auto least = std::min_element(load.begin(), load.end());
    *least += placements[index].tensor.padded_size();
    placements[index].shard = static_cast<uint32_t>(least - load.begin());
    layout.by_shard_[placements[index].shard].push_back(index);
  }

  for (uint32_t shard = 0; shard < shards; ++shard) {
    std::vector<size_t>& members = layout.by_shard_[shard];
    std::sort(members.begin(), members.end(), [&](size_t a, size_t b) {
      const int order_a = BranchOrder(placements[a].tensor.branch);
      const int order_b = BranchOrder(placements[b].tensor.branch);
      return order_a != order_b ? order_a < order_b : a < b;
    });
    size_t offset = 0;
    size_t auxiliary_end = 0;
    Range shared;
    for (const size_t index : members) {
      const Branch branch = placements[index].tensor.branch;
      placements[index].offset = offset;
      offset += placements[index].tensor.padded_size();
      if (branch == Branch::kMain) shared.begin = offset;
      if (branch == Branch::kMain || branch == Branch::kShared) shared.end = offset;
      if (branch != Branch::kAugmented) auxiliary_end = offset;
    }
    layout.shared_.push_back(shared);
    layout.auxiliary_end_.push_back(auxiliary_end);
    layout.arena_begins_.push_back(layout.total_size_);
    layout.arena_sizes_.push_back(offset);
    layout.total_size_ += offset;
  }

  std::string bytes;
  AppendBytes(shards, &bytes);
  for (const Placement& placement : placements) {
    const TensorSpec& tensor = placement.tensor;
    bytes += tensor.name;
    AppendBytes(tensor.name.size(), &bytes);
    for (const uint64_t extent : tensor.shape) AppendBytes(extent, &bytes);
    AppendBytes(tensor.shape.size(), &bytes);
    AppendBytes(static_cast<uint64_t>(tensor.kind), &bytes);
    AppendBytes(static_cast<uint64_t>(tensor.branch), &bytes);
    AppendBytes(static_cast<uint64_t>(std::lround(tensor.momentum * 1e9F)), &bytes);
    if (tensor.kind == TensorKind::kStatistic && tensor.momentum == 0) {
      AppendBytes(tensor.batches, &bytes);
    }
    AppendBytes(placement.shard, &bytes);
    AppendBytes(placement.offset, &bytes);
  }
  layout.hash_ = Fnv1a(bytes);
  return layout;
}

Range Layout::branch_range(uint32_t shard, Branch branch) const {
  if (!auxiliary_ && !augmented_) return {0, arena_sizes_[shard]};
  switch (branch) {
    case Branch::kShared: return shared_[shard];
    case Branch::kMain: return {0, shared_[shard].end};
    case Branch::kAuxiliary: return {shared_[shard].begin, auxiliary_end_[shard]};
    case Branch::kAugmented: return {shared_[shard].begin, arena_sizes_[shard]};
  }
  return {};
}

const Placement* Layout::Find(uint32_t shard, size_t offset) const {
  const std::vector<size_t>& members = by_shard_[shard];
  auto after = std::upper_bound(
      members.begin(), members.end(), offset,
      [&](size_t value, size_t index) { return value < placements_[index].offset; });
  if (after == members.begin()) return nullptr;
  const Placement& placement = placements_[*(after - 1)];
  return offset < placement.offset + placement.tensor.size() ? &placement : nullptr;
}

uint32_t WeightsCrc32c(const Layout& layout, absl::Span<const float> weights) {
  uint32_t crc = 0;
  for (const Placement& placement : layout.placements()) {
    crc = ExtendCrc32c(crc, weights.data() + layout.global_offset(placement),
                       placement.tensor.size() * sizeof(float));
  }
  return crc;
}

}  // namespace conadv
