// SPDX-License-Identifier: Apache-2.0
#include "tests/fuzz/allocation.h"

#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <new>

#include "absl/strings/str_cat.h"
#include "tests/fuzz/property.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CONADV_ALLOCATION_HOOKS
#endif
#endif

namespace {

struct Count {
  bool on = false;
  ptrdiff_t bytes = 0;  // negative while what is freed is older than the meter
  ptrdiff_t most = 0;
};
// Of one thread: libFuzzer has others.
thread_local Count count;

void OnTaken(size_t size) {
  if (!count.on) return;
  count.bytes += static_cast<ptrdiff_t>(size);
  count.most = std::max(count.most, count.bytes);
}

void OnFreed(size_t size) {
  if (count.on) count.bytes -= static_cast<ptrdiff_t>(size);
}

}  // namespace

#ifdef CONADV_ALLOCATION_HOOKS

#include <sanitizer/allocator_interface.h>

namespace {

void OnMalloc(const volatile void* /*pointer*/, size_t size) { OnTaken(size); }
void OnFree(const volatile void* pointer) {
  if (count.on && pointer != nullptr) {
    OnFreed(__sanitizer_get_allocated_size(const_cast<const void*>(pointer)));
  }
}
[[maybe_unused]] const int installed = __sanitizer_install_malloc_and_free_hooks(OnMalloc, OnFree);

}  // namespace

#else

namespace {

void* Take(size_t size, size_t alignment) {
  void* pointer = alignment == 0 ? std::malloc(size) : ::aligned_alloc(alignment, size);
  if (pointer == nullptr) std::abort();
  OnTaken(::malloc_usable_size(pointer));
  return pointer;
}

void Free(void* pointer) {
  if (pointer != nullptr) OnFreed(::malloc_usable_size(pointer));
  std::free(pointer);
}

}  // namespace

// The standard's other forms call these.
void* operator new(size_t size) { return Take(size, 0); }
void* operator new(size_t size, std::align_val_t alignment) {
  return Take(size, static_cast<size_t>(alignment));
}
void operator delete(void* pointer) noexcept { Free(pointer); }
void operator delete(void* pointer, size_t /*size*/) noexcept { Free(pointer); }
void operator delete(void* pointer, std::align_val_t /*alignment*/) noexcept { Free(pointer); }
void operator delete(void* pointer, size_t /*size*/, std::align_val_t /*alignment*/) noexcept {
  Free(pointer);
}

#endif

namespace conadv::fuzz {

AllocationMeter::AllocationMeter() {
  count = {};
  count.on = true;
}

AllocationMeter::~AllocationMeter() { count.on = false; }

size_t AllocationMeter::most_bytes() const { return static_cast<size_t>(count.most); }

void RequireBounded(const AllocationMeter& meter, size_t limit) {
  const size_t most = meter.most_bytes();
  if (most > limit) {
    Require(false, "memory is bounded by the input's size",
            absl::StrCat(most, " bytes, more than ", limit));
  }
}

}  // namespace conadv::fuzz
