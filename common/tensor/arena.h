// SPDX-License-Identifier: Apache-2.0
// A flat float32 buffer, aligned to 64 bytes, and a pool that recycles them. An Arena is owned by
// one unique_ptr, then shared as shared_ptr<const Arena> once nobody writes it any more. The pool
// is thread-safe and outlived by its arenas.
#ifndef CONADV_COMMON_TENSOR_ARENA_H_
#define CONADV_COMMON_TENSOR_ARENA_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/types/span.h"

namespace conadv {

// Where arenas' memory comes from. Thread-safe; outlives what came from it.
class ArenaAllocator {
 public:
  virtual ~ArenaAllocator() = default;
  // So many elements, not initialised, aligned to 64 bytes. Never nullptr, not even for none:
  // throws std::bad_alloc where there is no memory.
  virtual float* Allocate(size_t elements) = 0;
  virtual void Free(float* values, size_t elements) = 0;
  // False: somebody may still read what the arena held, so it must not be written again.
  virtual bool MayReuse(const float* /*values*/) const { return true; }

  static ArenaAllocator& Heap();
};

class Arena {
 public:
  // `size` elements, not initialised.
  explicit Arena(size_t size, ArenaAllocator* allocator = &ArenaAllocator::Heap());
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  float* data() { return data_; }
  const float* data() const { return data_; }
  size_t size() const { return size_; }
  size_t bytes() const { return size_ * sizeof(float); }
  absl::Span<float> span() { return {data_, size_}; }
  absl::Span<const float> span() const { return {data_, size_}; }
  void Zero();

 private:
  ArenaAllocator* const allocator_;
  float* const data_;
  const size_t size_;
};

// An arena whose values lie where they are, for as long as `owner` lives. Nobody writes them.
std::shared_ptr<const Arena> ArenaOf(absl::Span<const float> values,
                                     std::shared_ptr<const void> owner);

// Arenas of one size. Take() never blocks: a bound on their number is the business of whoever
// admits work.
class ArenaPool {
 public:
  // Keeps up to `keep` free arenas for reuse; more are freed.
  ArenaPool(size_t arena_size, size_t keep, ArenaAllocator* allocator = &ArenaAllocator::Heap());

  // Contents are not initialised. Returns to the pool when the last reference goes, on whatever
  // thread that is.
  std::shared_ptr<Arena> Take();

  size_t arena_size() const;
  // Bytes of all arenas that exist, in use or kept.
  uint64_t bytes() const;
  uint64_t in_use() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_ARENA_H_
