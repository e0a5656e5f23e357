// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/arena.h"

#include <sys/mman.h>

#include <cstring>
#include <new>
#include <utility>
#include <vector>

#include "common/thread/mutex.h"

namespace conadv {
namespace {

// A huge page of this machine's kind.
constexpr size_t kHugePage = size_t{2} << 20;
// From here on, what is lost by rounding up to huge pages is little.
constexpr size_t kManyPages = 4 * kHugePage;

class HeapAllocator final : public ArenaAllocator {
 public:
  float* Allocate(size_t elements) override {
    const size_t bytes = BytesOf(elements);
    const std::align_val_t alignment = AlignmentOf(bytes);
    void* const memory = ::operator new(bytes, alignment);
    // A page fault for each 2 MiB rather than for each 4 KiB, where the system has them.
    if (bytes >= kManyPages) madvise(memory, bytes, MADV_HUGEPAGE);
    return static_cast<float*>(memory);
  }
  void Free(float* values, size_t elements) override {
    ::operator delete(values, AlignmentOf(BytesOf(elements)));
  }

 private:
  // Never zero bytes, so that every arena has a pointer of its own.
  static size_t BytesOf(size_t elements) { return (elements == 0 ? 1 : elements) * sizeof(float); }
  static std::align_val_t AlignmentOf(size_t bytes) {
    return std::align_val_t{bytes >= kManyPages ? kHugePage : 64};
  }
};

// Of one arena, whose memory is somebody else's.
class Borrowed final : public ArenaAllocator {
 public:
  Borrowed(absl::Span<const float> values, std::shared_ptr<const void> owner)
      : values_(values), owner_(std::move(owner)) {}
  // An arena that is shared is read alone.
  float* Allocate(size_t) override { return const_cast<float*>(values_.data()); }
  void Free(float*, size_t) override {}

 private:
  const absl::Span<const float> values_;
  const std::shared_ptr<const void> owner_;
};

struct BorrowedArena {
  BorrowedArena(absl::Span<const float> values, std::shared_ptr<const void> owner)
      : memory(values, std::move(owner)), arena(values.size(), &memory) {}
  Borrowed memory;
  const Arena arena;
};

}  // namespace

std::shared_ptr<const Arena> ArenaOf(absl::Span<const float> values,
                                     std::shared_ptr<const void> owner) {
  auto made = std::make_shared<const BorrowedArena>(values, std::move(owner));
  return {made, &made->arena};
}

ArenaAllocator& ArenaAllocator::Heap() {
  static auto* const heap = new HeapAllocator();  // arenas may go last of all
  return *heap;
}

Arena::Arena(size_t size, ArenaAllocator* allocator)
    : allocator_(allocator), data_(allocator->Allocate(size)), size_(size) {}
Arena::~Arena() { allocator_->Free(data_, size_); }
void Arena::Zero() { std::memset(data_, 0, bytes()); }

struct ArenaPool::State {
  State(size_t arena_size, size_t keep, ArenaAllocator* allocator)
      : arena_size(arena_size), keep(keep), allocator(allocator) {}

  const size_t arena_size;
  const size_t keep;
  ArenaAllocator* const allocator;
  mutable Mutex mutex;
  std::vector<std::unique_ptr<Arena>> free ABSL_GUARDED_BY(mutex);
  uint64_t in_use ABSL_GUARDED_BY(mutex) = 0;
};

ArenaPool::ArenaPool(size_t arena_size, size_t keep, ArenaAllocator* allocator)
    : state_(std::make_shared<State>(arena_size, keep, allocator)) {}

std::shared_ptr<Arena> ArenaPool::Take() {
  std::unique_ptr<Arena> arena;
  {
    MutexLock lock(&state_->mutex);
    ++state_->in_use;
    if (!state_->free.empty()) {
      arena = std::move(state_->free.back());
      state_->free.pop_back();
    }
  }
  if (arena == nullptr) arena = std::make_unique<Arena>(state_->arena_size, state_->allocator);
  return std::shared_ptr<Arena>(arena.release(), [state = state_](Arena* used) {
    std::unique_ptr<Arena> returned(used);
    MutexLock lock(&state->mutex);
    --state->in_use;
    if (state->free.size() < state->keep && state->allocator->MayReuse(returned->data())) {
      state->free.push_back(std::move(returned));
    }
  });
}

size_t ArenaPool::arena_size() const { return state_->arena_size; }

uint64_t ArenaPool::bytes() const {
  MutexLock lock(&state_->mutex);
  return (state_->in_use + state_->free.size()) * state_->arena_size * sizeof(float);
}

uint64_t ArenaPool::in_use() const {
  MutexLock lock(&state_->mutex);
  return state_->in_use;
}

}  // namespace conadv
