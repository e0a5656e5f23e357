// SPDX-License-Identifier: Apache-2.0
// What decoders share. Pure functions.
#ifndef CONADV_WORKER_DATA_IMAGE_PIXELS_H_
#define CONADV_WORKER_DATA_IMAGE_PIXELS_H_

#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace conadv {

// DATA_LOSS: an image has no pixels, or more than `most`; a header may promise what it likes.
inline absl::Status CheckPixels(uint32_t height, uint32_t width, uint64_t most) {
  if (height > 0 && width > 0 && height <= most / width) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrCat(height, " x ", width, " pixels: it must have 1 to ", most));
}

// Appends a pixel of 0 to 255 as 1 channel (ITU-R 601's luma, as JPEG has it), 3 or 4.
inline void AppendPixel(uint32_t red, uint32_t green, uint32_t blue, uint32_t opacity,
                        uint32_t channels, std::vector<uint8_t>* pixels) {
  if (channels == 1) {
    // 0.299, 0.587 and 0.114 in units of 2^-16; their sum is 1, so that grey stays as it is.
    const uint32_t luma = (19595 * red + 38470 * green + 7471 * blue + 32768) >> 16;
    pixels->push_back(static_cast<uint8_t>(luma));
    return;
  }
  for (const uint32_t value : {red, green, blue}) pixels->push_back(static_cast<uint8_t>(value));
  if (channels == 4) pixels->push_back(static_cast<uint8_t>(opacity));
}

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_PIXELS_H_
