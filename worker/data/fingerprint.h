// SPDX-License-Identifier: Apache-2.0
// Fingerprints of texts and numbers, the same on every machine. Pure functions.
#ifndef CONADV_WORKER_DATA_FINGERPRINT_H_
#define CONADV_WORKER_DATA_FINGERPRINT_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "absl/strings/string_view.h"
#include "common/tensor/crc32c.h"

namespace conadv {

inline uint32_t ExtendWithNumber(uint32_t crc, uint64_t number) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  return ExtendCrc32c(crc, bytes.data(), bytes.size());
}

// Its length goes before it, so that texts do not run into each other.
inline uint32_t ExtendWithText(uint32_t crc, absl::string_view text) {
  return ExtendCrc32c(ExtendWithNumber(crc, text.size()), text.data(), text.size());
}

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_FINGERPRINT_H_
