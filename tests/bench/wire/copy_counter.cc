// SPDX-License-Identifier: Apache-2.0
// Preloaded into a program: counts the bytes of large copies that it and its libraries make, in the
// file that COPY_COUNTER names: one 64-bit number, to which every process of a run adds. What
// compilers make of copies of known size is not counted; those are small.
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>

namespace {

// Of a chunk's parts as they come from the network none is as small; headers and names are.
constexpr size_t kLarge = 2048;

std::atomic<uint64_t>* Counter() {
  static std::atomic<uint64_t>* const counter = []() -> std::atomic<uint64_t>* {
    const char* const path = std::getenv("COPY_COUNTER");
    if (path == nullptr) return nullptr;
    const int file = open(path, O_RDWR | O_CLOEXEC);
    void* const memory =
        mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    close(file);
    return memory == MAP_FAILED ? nullptr : static_cast<std::atomic<uint64_t>*>(memory);
  }();
  return counter;
}

void Count(size_t size) {
  if (size < kLarge) return;
  if (std::atomic<uint64_t>* const counter = Counter(); counter != nullptr) *counter += size;
}

void Forward(char* to, const char* from, size_t size) {
#if defined(__x86_64__)
  asm volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
  for (size_t i = 0; i < size; ++i) static_cast<volatile char*>(to)[i] = from[i];
#endif
}

}  // namespace

extern "C" void* memcpy(void* to, const void* from, size_t size) {
  Count(size);
  Forward(static_cast<char*>(to), static_cast<const char*>(from), size);
  return to;
}

extern "C" void* memmove(void* to, const void* from, size_t size) {
  Count(size);
  char* const out = static_cast<char*>(to);
  const char* const in = static_cast<const char*>(from);
  if (out <= in || out >= in + size) {
    Forward(out, in, size);
  } else {
    for (size_t i = size; i > 0; --i) static_cast<volatile char*>(out)[i - 1] = in[i - 1];
  }
  return to;
}
