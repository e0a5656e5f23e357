// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/transform/sharpness.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "glog/logging.h"
#include "worker/data/augment/transform/rows.h"

namespace conadv::augment {
namespace {

// Smooths a row but for its ends. `sums` is for what it computes: the sums of three above each
// other.
void SmoothRow(const uint8_t* above, const uint8_t* row, const uint8_t* below, size_t width,
               std::vector<uint16_t>* sums, uint8_t* to) {
  uint16_t* const sum = sums->data();
  for (size_t x = 0; x < width; ++x) {
    sum[x] = static_cast<uint16_t>(above[x] + row[x] + below[x]);
  }
  to[0] = row[0];
  to[width - 1] = row[width - 1];
  for (size_t x = 1; x + 1 < width; ++x) {
    const uint32_t weighted = uint32_t{sum[x - 1]} + sum[x] + sum[x + 1] + 4U * row[x];
    // (weighted + 6) / 13, which is the nearest, as no weighted sum lies half-way: 13 is odd.
    // 20165 / 2^18 is so little more than 1 / 13 that it gives the same up to 13 * 255 + 6.
    to[x] = static_cast<uint8_t>(((weighted + 6) * 20165U) >> 18);
  }
}

}  // namespace

void AdjustSharpness(double factor, ConstPlanes from, Planes to) {
  CHECK(from.SameShape(to));
  if (from.height < 3 || from.width < 3) {
    std::copy_n(from.pixels, from.size(), to.pixels);
    return;
  }
  std::vector<uint16_t> sums(from.width);
  std::vector<uint8_t> smooth(from.width);
  for (uint32_t channel = 0; channel < from.channels; ++channel) {
    for (uint32_t y = 0; y < from.height; ++y) {
      const uint8_t* const row = from.row(channel, y);
      const bool border = y == 0 || y + 1 == from.height;
      if (!border) {
        SmoothRow(row - from.width, row, row + from.width, from.width, &sums, smooth.data());
      }
      BlendRow(row, border ? row : smooth.data(), from.width, factor, to.row(channel, y));
    }
  }
}

}  // namespace conadv::augment
