// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/transform/crop.h"

#include <algorithm>
#include <cstddef>

#include "glog/logging.h"
#include "worker/data/augment/transform/rows.h"

namespace conadv::augment {
namespace {

// `at`, or the nearest of [0, side].
size_t Clamp(int64_t at, uint32_t side) {
  return static_cast<size_t>(std::clamp<int64_t>(at, 0, side));
}

}  // namespace

void FlipHorizontally(ConstPlanes from, Planes to) {
  CHECK(from.SameShape(to));
  for (uint32_t channel = 0; channel < from.channels; ++channel) {
    for (uint32_t y = 0; y < from.height; ++y) {
      ReverseRow(from.row(channel, y), from.width, to.row(channel, y));
    }
  }
}

void CropAt(int32_t top, int32_t left, ConstPlanes from, Planes to) {
  CHECK_EQ(from.channels, to.channels);
  // Columns of the image that are seen, and what is black to the left of them.
  const size_t first = Clamp(left, from.width);
  const size_t seen = Clamp(int64_t{left} + to.width, from.width) - first;
  const size_t black = seen == 0 ? to.width : Clamp(-int64_t{left}, to.width);
  for (uint32_t channel = 0; channel < to.channels; ++channel) {
    for (uint32_t row = 0; row < to.height; ++row) {
      const int64_t y = int64_t{top} + row;
      uint8_t* out = to.row(channel, row);
      if (y < 0 || y >= from.height) {
        std::fill_n(out, to.width, uint8_t{0});
        continue;
      }
      out = std::fill_n(out, black, uint8_t{0});
      out = std::copy_n(from.row(channel, static_cast<uint32_t>(y)) + first, seen, out);
      std::fill_n(out, to.width - black - seen, uint8_t{0});
    }
  }
}

void Erase(const Box& box, Planes image) {
  const size_t bottom = Clamp(int64_t{box.top} + box.height, image.height);
  const size_t left = Clamp(box.left, image.width);
  const size_t right = Clamp(int64_t{box.left} + box.width, image.width);
  if (left >= right) return;
  for (uint32_t channel = 0; channel < image.channels; ++channel) {
    for (size_t y = Clamp(box.top, image.height); y < bottom; ++y) {
      std::fill_n(image.row(channel, static_cast<uint32_t>(y)) + left, right - left, uint8_t{0});
    }
  }
}

}  // namespace conadv::augment
