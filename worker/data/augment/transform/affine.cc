// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/transform/affine.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "glog/logging.h"

namespace conadv::augment {
namespace {

// One coordinate of where pixels come from. Places often lie half-way between two pixels, as where
// a shear by 0.1 meets a row whose number ends in 5; which of them is the nearest is decided by the
// last bit. So this computes in float32 what PyTorch's grid_sample() does, step by step: from -1 to
// 1 across the image, the products summed by fused multiply-adds.
class Coordinate {
 public:
  // `row`: of a matrix.
  Coordinate(const double* row, uint32_t side, uint32_t width)
      : half_(0.5F * static_cast<float>(side)),
        over_y_(static_cast<float>(row[1]) / half_),
        offset_(static_cast<float>(row[2]) / half_),
        over_x_(width) {
    const float over_x = static_cast<float>(row[0]) / half_;
    for (uint32_t x = 0; x < width; ++x) over_x_[x] = over_x * FromCentre(x, width);
  }

  // The nearest pixel's, of each pixel of row y of the result; it may lie outside of the image.
  void Nearest(uint32_t y, uint32_t height, int32_t* nearest) const {
    // A product of two float32 numbers is exact in float64, and so is the sum unless the one is
    // nothing beside the other: that makes it a fused one, whatever the processor has.
    const double over_y = static_cast<double>(over_y_) * FromCentre(y, height);
    for (size_t x = 0; x < over_x_.size(); ++x) {
      const float place = static_cast<float>(over_x_[x] + over_y) + offset_;
      const float pixel = (place + 1.0F) * half_ - 0.5F;
      // What is added leaves no bits behind the point, so that it rounds to the nearest even; and,
      // unlike a call to round, it vectorises everywhere.
      constexpr float kRound = 12582912;  // 1.5 * 2^23
      nearest[x] = static_cast<int32_t>((pixel + kRound) - kRound);
    }
  }

 private:
  static float FromCentre(uint32_t at, uint32_t side) {
    return static_cast<float>(at) - 0.5F * static_cast<float>(side) + 0.5F;
  }

  float half_;
  float over_y_;
  float offset_;
  std::vector<double> over_x_;
};

bool AreConsecutive(const int32_t* values, size_t size) {
  int32_t jumps = 0;
  for (size_t i = 1; i < size; ++i) jumps |= (values[i] - values[i - 1]) ^ 1;
  return jumps == 0;
}

// The places of a row's pixels in a plane, of those that lie in it: as each coordinate goes one
// way, they are neighbours.
struct Places {
  size_t first = 0;
  size_t size = 0;
};

Places FindInside(const std::vector<int32_t>& xs, const std::vector<int32_t>& ys, uint32_t height,
                  uint32_t width) {
  const auto inside = [&](size_t i) {
    return static_cast<uint32_t>(xs[i]) < width && static_cast<uint32_t>(ys[i]) < height;
  };
  Places places;
  while (places.first < xs.size() && !inside(places.first)) ++places.first;
  size_t end = xs.size();
  while (end > places.first && !inside(end - 1)) --end;
  places.size = end - places.first;
  return places;
}

}  // namespace

Matrix ShearX(double share, double height) { return {1, share, share * height / 2, 0, 1, 0}; }

Matrix ShearY(double share, double width) { return {1, 0, 0, share, 1, share * width / 2}; }

Matrix TranslateBy(double x, double y) { return {1, 0, -x, 0, 1, -y}; }

Matrix RotateBy(double degrees) {
  const double angle = degrees * 3.14159265358979323846 / 180;
  return {std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0};
}

void Transform(const Matrix& matrix, ConstPlanes from, Planes to) {
  CHECK(from.SameShape(to));
  CHECK(from.height <= kMostSide && from.width <= kMostSide);
  const Coordinate x(matrix.data(), from.width, from.width);
  const Coordinate y(matrix.data() + 3, from.height, from.width);
  std::vector<int32_t> xs(from.width);
  std::vector<int32_t> ys(from.width);
  for (uint32_t row = 0; row < from.height; ++row) {
    x.Nearest(row, from.height, xs.data());
    y.Nearest(row, from.height, ys.data());
    const Places inside = FindInside(xs, ys, from.height, from.width);
    int32_t* const places = xs.data() + inside.first;
    for (size_t i = 0; i < inside.size; ++i) {
      places[i] += ys[inside.first + i] * static_cast<int32_t>(from.width);
    }
    const bool consecutive = AreConsecutive(places, inside.size);
    for (uint32_t channel = 0; channel < from.channels; ++channel) {
      const uint8_t* const plane = from.plane(channel);
      uint8_t* out = std::fill_n(to.row(channel, row), inside.first, uint8_t{0});
      if (consecutive && inside.size > 0) {
        out = std::copy_n(plane + places[0], inside.size, out);
      } else {
        for (size_t i = 0; i < inside.size; ++i) *out++ = plane[places[i]];
      }
      std::fill_n(out, from.width - inside.first - inside.size, uint8_t{0});
    }
  }
}

}  // namespace conadv::augment
