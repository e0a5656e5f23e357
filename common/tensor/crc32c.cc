// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace conadv {

uint32_t ExtendCrc32c(uint32_t crc, const void* bytes, size_t size) {
  constexpr size_t kMost = size_t{1} << 30;  // ISA-L counts in int
  // ISA-L takes a pointer to mutable bytes but does not write them.
  auto* next = static_cast<unsigned char*>(const_cast<void*>(bytes));
  crc = ~crc;
  while (size > 0) {
    const size_t part = std::min(size, kMost);
    crc = crc32_iscsi(next, static_cast<int>(part), crc);
    next += part;
    size -= part;
  }
  return ~crc;
}

}  // namespace conadv
