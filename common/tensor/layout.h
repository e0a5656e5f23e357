// SPDX-License-Identifier: Apache-2.0
// Where each tensor lies: a pure function of (tensors, shards), so every process works it out for
// itself. Immutable.
#ifndef CONADV_COMMON_TENSOR_LAYOUT_H_
#define CONADV_COMMON_TENSOR_LAYOUT_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace conadv {

// Tensors start at multiples of this many elements: 64 bytes, the widest vector register.
inline constexpr size_t kTensorAlignment = 16;

enum class TensorKind { kWeight, kNoDecay, kStatistic };
enum class Branch { kShared, kMain, kAuxiliary, kAugmented };

struct TensorSpec {
  std::string name;
  std::vector<uint64_t> shape;
  TensorKind kind = TensorKind::kWeight;
  Branch branch = Branch::kShared;
  // Of a statistic's moving average; 0 for the mean of all batches, so that the next has a part of
  // 1 / (how many there are with it).
  float momentum = 0;
  uint64_t batches = 0;  // of a mean of all batches: how many are in the initial value

  uint64_t size() const;         // elements
  uint64_t padded_size() const;  // elements, a multiple of kTensorAlignment
};

// Elements [begin, end) of a shard's arena.
struct Range {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
  friend bool operator==(const Range& a, const Range& b) {
    return a.begin == b.begin && a.end == b.end;
  }
};

struct Placement {
  TensorSpec tensor;
  uint32_t shard = 0;
  size_t offset = 0;  // elements, in the shard's arena
};

class Layout {
 public:
  // Places every tensor whole, the largest first on the least loaded shard. INVALID_ARGUMENT: no
  // shards, more shards than tensors, a name that is empty or occurs twice, a shape of no or too
  // many (2^40) elements, a statistic's momentum outside [0, 1].
  static absl::StatusOr<Layout> Create(std::vector<TensorSpec> tensors, uint32_t shards);

  const std::vector<Placement>& placements() const { return placements_; }  // in the model's order
  uint32_t shards() const { return static_cast<uint32_t>(arena_sizes_.size()); }
  size_t arena_size(uint32_t shard) const { return arena_sizes_[shard]; }
  // A worker keeps all shards' arenas one after the other: where a shard's begins, and how long
  // they are together.
  size_t arena_begin(uint32_t shard) const { return arena_begins_[shard]; }
  size_t total_size() const { return total_size_; }
  // Where a placement begins in that concatenation.
  size_t global_offset(const Placement& placement) const {
    return arena_begins_[placement.shard] + placement.offset;
  }

  // The part of a shard's arena where a branch's tensors and SHARED ones lie; AUGMENTED's has
  // AUXILIARY tensors in it, too.
  Range branch_range(uint32_t shard, Branch branch) const;
  // A shard's tensors by rising offset: indices into placements().
  absl::Span<const size_t> tensors_of(uint32_t shard) const { return by_shard_[shard]; }
  // The tensor that holds an element of a shard's arena; nullptr for padding.
  const Placement* Find(uint32_t shard, size_t offset) const;

  // Of everything above: equal for equal layouts. Never 0.
  uint64_t hash() const { return hash_; }

 private:
  Layout() = default;

  std::vector<Placement> placements_;
  std::vector<std::vector<size_t>> by_shard_;
  std::vector<size_t> arena_sizes_;
  std::vector<size_t> arena_begins_;
  std::vector<Range> shared_;          // by shard: where SHARED tensors lie
  std::vector<size_t> auxiliary_end_;  // by shard
  bool auxiliary_ = false;             // whether there are AUXILIARY tensors anywhere
  bool augmented_ = false;             // likewise
  size_t total_size_ = 0;
  uint64_t hash_ = 0;
};

// crc32c of the tensors' bytes without padding, tensor after tensor in the model's order, whatever
// the shards. `weights` is the concatenation of all shards' arenas. REQUIRES: weights.size() ==
// layout.total_size().
uint32_t WeightsCrc32c(const Layout& layout, absl::Span<const float> weights);

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_LAYOUT_H_
