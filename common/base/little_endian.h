// SPDX-License-Identifier: Apache-2.0
// Numbers as bytes, the lowest first, the same on every machine. Pure functions.
#ifndef CONADV_COMMON_BASE_LITTLE_ENDIAN_H_
#define CONADV_COMMON_BASE_LITTLE_ENDIAN_H_

#include <cstdint>
#include <string>

namespace conadv {

// The lowest `bytes` bytes of a number. REQUIRES: 0 <= bytes <= 8.
inline std::string LittleEndian(uint64_t value, int bytes = 8) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text.push_back(static_cast<char>(value >> (8 * i)));
  return text;
}

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_LITTLE_ENDIAN_H_
