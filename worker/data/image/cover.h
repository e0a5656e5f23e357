// SPDX-License-Identifier: Apache-2.0
// Images of any size brought to one: scaled until they just cover it, and the middle cut out. Pure
// functions; thread-safe.
#ifndef CONADV_WORKER_DATA_IMAGE_COVER_H_
#define CONADV_WORKER_DATA_IMAGE_COVER_H_

#include <cstdint>

#include "absl/types/span.h"
#include "worker/data/image/image.h"

namespace conadv {

struct Crop {
  uint32_t top = 0;
  uint32_t left = 0;
  uint32_t height = 0;
  uint32_t width = 0;
};

// The largest part in the middle of an image that has the shape of to_height x to_width, to the
// nearest pixel. REQUIRES: none is 0.
Crop MiddleOf(uint32_t height, uint32_t width, uint32_t to_height, uint32_t to_width);

// Writes that part, scaled, into [channels][height][width]. It is cut before it is scaled, which
// costs less and needs no memory for what is cut off. Areas are averaged where it shrinks, and
// neighbours interpolated where it grows. REQUIRES: planes.size() is image.channels * height *
// width; none is 0.
void Cover(const Image& image, uint32_t height, uint32_t width, absl::Span<uint8_t> planes);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_COVER_H_
