// SPDX-License-Identifier: Apache-2.0
// Fingerprints of texts and numbers, the same on every machine. Pure functions.
#ifndef CONADV_WORKER_DATA_FINGERPRINT_H_
#define CONADV_WORKER_DATA_FINGERPRINT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "common/base/little_endian.h"
#include "common/tensor/crc32c.h"
#include "worker/data/dataset.h"

namespace conadv {

inline uint32_t ExtendWithNumber(uint32_t crc, uint64_t number) {
  const std::string bytes = LittleEndian(number);
  return ExtendCrc32c(crc, bytes.data(), bytes.size());
}

// Of what a model sees of a data set beside its images and labels.
inline uint32_t ShapeFingerprint(const ImageSize& size, uint32_t classes, uint64_t examples) {
  uint32_t crc = 0;
  for (const uint64_t number : {uint64_t{size.channels}, uint64_t{size.height},
                                uint64_t{size.width}, uint64_t{classes}, examples}) {
    crc = ExtendWithNumber(crc, number);
  }
  return crc;
}

// Its length goes before it, so that texts do not run into each other.
inline uint32_t ExtendWithText(uint32_t crc, absl::string_view text) {
  return ExtendCrc32c(ExtendWithNumber(crc, text.size()), text.data(), text.size());
}

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_FINGERPRINT_H_
