// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "glog/logging.h"
#include "worker/data/augment/transform/crop.h"

namespace conadv::augment {
namespace {

// Which two of a line's pixels one of the result lies between, and the second's share.
struct Between {
  uint32_t first = 0;
  uint32_t second = 0;
  float share = 0;
};

// For each pixel of a line of `to` that is made of one of `from`: in float32, pixels' centres being
// at .5, as PyTorch's interpolate(align_corners=False) has it.
std::vector<Between> Neighbours(uint32_t from, uint32_t to) {
  const float scale = static_cast<float>(from) / static_cast<float>(to);
  std::vector<Between> neighbours(to);
  for (uint32_t i = 0; i < to; ++i) {
    const float place = std::max(scale * (static_cast<float>(i) + 0.5F) - 0.5F, 0.0F);
    Between& between = neighbours[i];
    between.first = std::min(static_cast<uint32_t>(place), from - 1);
    between.second = std::min(between.first + 1, from - 1);
    between.share = std::min(place - static_cast<float>(between.first), 1.0F);
  }
  return neighbours;
}

// One row of the box, scaled to the result's width.
struct ScaledRow {
  int64_t row = -1;
  std::vector<float> values;

  void Fill(const uint8_t* from, const std::vector<Between>& columns) {
    for (size_t x = 0; x < columns.size(); ++x) {
      const Between& between = columns[x];
      values[x] = static_cast<float>(from[between.first]) * (1 - between.share) +
                  static_cast<float>(from[between.second]) * between.share;
    }
  }
};

}  // namespace

void ResizedCrop(const Box& box, ConstPlanes from, Planes to) {
  CHECK_EQ(from.channels, to.channels);
  CHECK(box.top >= 0 && box.left >= 0 && box.height > 0 && box.width > 0);
  CHECK(int64_t{box.top} + box.height <= from.height &&
        int64_t{box.left} + box.width <= from.width);
  const std::vector<Between> rows = Neighbours(static_cast<uint32_t>(box.height), to.height);
  const std::vector<Between> columns = Neighbours(static_cast<uint32_t>(box.width), to.width);
  // A row of the result needs two of the box, and the next one mostly the same or one of them.
  ScaledRow upper{-1, std::vector<float>(to.width)};
  ScaledRow lower{-1, std::vector<float>(to.width)};
  const auto row_of = [&](uint32_t channel, uint32_t row) {
    return from.row(channel, static_cast<uint32_t>(box.top) + row) + box.left;
  };
  for (uint32_t channel = 0; channel < to.channels; ++channel) {
    upper.row = lower.row = -1;
    for (uint32_t y = 0; y < to.height; ++y) {
      const Between& between = rows[y];
      if (upper.row != between.first && lower.row == between.first) std::swap(upper, lower);
      for (auto [scaled, row] : {std::pair(&upper, between.first), {&lower, between.second}}) {
        if (scaled->row == row) continue;
        scaled->Fill(row_of(channel, row), columns);
        scaled->row = row;
      }
      const float share = between.share;
      const float rest = 1 - share;
      uint8_t* const out = to.row(channel, y);
      for (uint32_t x = 0; x < to.width; ++x) {
        const float value = upper.values[x] * rest + lower.values[x] * share;
        constexpr float kRound =
            12582912;  // to the nearest even: it leaves no bits behind the point
        out[x] = static_cast<uint8_t>(static_cast<int32_t>((value + kRound) - kRound));
      }
    }
  }
}

}  // namespace conadv::augment
