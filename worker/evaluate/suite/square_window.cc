// SPDX-License-Identifier: Apache-2.0
#include "worker/evaluate/suite/square_window.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdlib>

namespace conadv {
namespace {

// Of a bump of that many rings around its middle, at a distance of `ring` from it in the larger of
// both directions: the sum over M = ring … of 1 / (M + 1)^2.
float Height(int64_t ring, int64_t rings) {
  double height = 0;
  for (int64_t m = ring; m < rings; ++m) height += 1.0 / static_cast<double>((m + 1) * (m + 1));
  return static_cast<float>(height);
}

// Rows `begin` to `end` of a window.
void FillBump(int64_t begin, int64_t end, int64_t side, float sign, std::vector<float>* values) {
  const int64_t rows = end - begin;
  const int64_t rings = std::max(rows, side) / 2 + 1;
  for (int64_t i = 0; i < rows; ++i) {
    for (int64_t j = 0; j < side; ++j) {
      const int64_t ring = std::max(std::abs(i - rows / 2), std::abs(j - side / 2));
      (*values)[static_cast<size_t>((begin + i) * side + j)] = sign * Height(ring, rings);
    }
  }
}

void Normalise(size_t begin, size_t end, std::vector<float>* values) {
  double squares = 0;
  for (size_t i = begin; i < end; ++i) squares += static_cast<double>((*values)[i]) * (*values)[i];
  const auto scale = static_cast<float>(1 / std::sqrt(squares));
  for (size_t i = begin; i < end; ++i) (*values)[i] *= scale;
}

}  // namespace

double WindowShare(double first, int query) {
  constexpr std::array<int, 9> kHalvings = {10, 50, 200, 500, 1000, 2000, 4000, 6000, 8000};
  double share = first;
  for (const int after : kHalvings) {
    if (query > after) share /= 2;
  }
  return share;
}

int64_t WindowSide(double share, int64_t height, int64_t width, int64_t least) {
  const auto side =
      std::llround(std::sqrt(share * static_cast<double>(height) * static_cast<double>(width)));
  return std::min(std::max<int64_t>(side, least), std::min(height, width));
}

std::vector<float> Bumps(int64_t side) {
  std::vector<float> values(static_cast<size_t>(side * side));
  const int64_t half = side / 2;
  FillBump(0, half, side, 1, &values);
  FillBump(half, side, side, -1, &values);
  // Both weigh the same.
  const auto middle = static_cast<size_t>(half * side);
  Normalise(0, middle, &values);
  Normalise(middle, values.size(), &values);
  Normalise(0, values.size(), &values);
  return values;
}

}  // namespace conadv
