// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/transform/colour.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "glog/logging.h"
#include "worker/data/augment/transform/rows.h"

namespace conadv::augment {
namespace {

using Table = std::array<uint8_t, 256>;

void LookUp(const Table& table, size_t size, uint8_t* pixels) {
  for (size_t i = 0; i < size; ++i) pixels[i] = table[pixels[i]];
}

// What blending with one value makes of each value.
Table BlendWith(float other, double factor) {
  Table table;
  for (size_t value = 0; value < table.size(); ++value) {
    table[value] = Blend(static_cast<float>(value), other, factor);
  }
  return table;
}

uint64_t Sum(const uint8_t* values, size_t size) {
  uint64_t sum = 0;
  constexpr size_t kBlock = size_t{1} << 16;  // whose sum has 32 bits, as vectors like it
  for (size_t start = 0; start < size; start += kBlock) {
    uint32_t block = 0;
    for (size_t i = start; i < std::min(start + kBlock, size); ++i) block += values[i];
    sum += block;
  }
  return sum;
}

float MeanOfGrey(ConstPlanes image) {
  uint64_t sum = 0;
  uint64_t count = image.size();
  if (image.channels == 3) {
    std::array<uint8_t, 4096> grey;
    count = image.plane_size();
    for (size_t i = 0; i < count; i += grey.size()) {
      const size_t size = std::min<size_t>(grey.size(), count - i);
      GreyRow(image.plane(0) + i, image.plane(1) + i, image.plane(2) + i, size, grey.data());
      sum += Sum(grey.data(), size);
    }
  } else {
    sum = Sum(image.pixels, image.size());
  }
  return static_cast<float>(sum) / static_cast<float>(count);
}

// Of how often each value is there. Four, as a count that was just stored cannot be loaded at once.
std::array<uint32_t, 256> Histogram(const uint8_t* values, size_t size) {
  std::array<std::array<uint32_t, 256>, 4> parts{};
  size_t i = 0;
  for (; i + 4 <= size; i += 4) {
    ++parts[0][values[i]];
    ++parts[1][values[i + 1]];
    ++parts[2][values[i + 2]];
    ++parts[3][values[i + 3]];
  }
  for (; i < size; ++i) ++parts[0][values[i]];
  for (size_t value = 0; value < 256; ++value) {
    parts[0][value] += parts[1][value] + parts[2][value] + parts[3][value];
  }
  return parts[0];
}

}  // namespace

void AdjustBrightness(double factor, Planes image) {
  LookUp(BlendWith(0, factor), image.size(), image.pixels);
}

void AdjustSaturation(double factor, Planes image) {
  if (image.channels != 3) return;
  std::array<uint8_t, 4096> grey;  // a part at a time, which stays in the cache
  for (size_t i = 0; i < image.plane_size(); i += grey.size()) {
    const size_t size = std::min(grey.size(), image.plane_size() - i);
    GreyRow(image.plane(0) + i, image.plane(1) + i, image.plane(2) + i, size, grey.data());
    for (uint32_t channel = 0; channel < 3; ++channel) {
      uint8_t* const part = image.plane(channel) + i;
      BlendRow(part, grey.data(), size, factor, part);
    }
  }
}

void AdjustContrast(double factor, Planes image) {
  LookUp(BlendWith(MeanOfGrey(image), factor), image.size(), image.pixels);
}

void Posterize(int bits, Planes image) {
  CHECK(bits >= 0 && bits <= 8) << bits << " bits";
  const auto mask = static_cast<uint8_t>(0xFF00U >> bits);
  for (size_t i = 0; i < image.size(); ++i) image.pixels[i] &= mask;
}

void Solarize(double threshold, Planes image) {
  if (threshold > 255) return;
  const auto least = static_cast<uint8_t>(std::ceil(std::max(threshold, 0.0)));
  for (size_t i = 0; i < image.size(); ++i) {
    const uint8_t value = image.pixels[i];
    image.pixels[i] = value >= least ? static_cast<uint8_t>(255 - value) : value;
  }
}

void Invert(Planes image) {
  for (size_t i = 0; i < image.size(); ++i) {
    image.pixels[i] = static_cast<uint8_t>(255 - image.pixels[i]);
  }
}

void AutoContrast(Planes image) {
  for (uint32_t channel = 0; channel < image.channels; ++channel) {
    uint8_t* const plane = image.plane(channel);
    uint8_t least = 255;
    uint8_t most = 0;
    for (size_t i = 0; i < image.plane_size(); ++i) {
      least = std::min(least, plane[i]);
      most = std::max(most, plane[i]);
    }
    if (least >= most || (least == 0 && most == 255)) continue;
    const float scale = 1.0F / static_cast<float>(most - least) * 255.0F;  // as PyTorch divides
    Table table{};
    for (size_t value = least; value <= most; ++value) {
      const float stretched = static_cast<float>(value - least) * scale;
      table[value] = static_cast<uint8_t>(std::min(stretched, 255.0F));
    }
    LookUp(table, image.plane_size(), plane);
  }
}

void Equalize(Planes image) {
  for (uint32_t channel = 0; channel < image.channels; ++channel) {
    const std::array<uint32_t, 256> histogram = Histogram(image.plane(channel), image.plane_size());
    const auto last = std::find_if(histogram.rbegin(), histogram.rend(),
                                   [](uint32_t count) { return count > 0; });
    if (last == histogram.rend()) continue;
    const uint64_t step = (image.plane_size() - *last) / 255;
    if (step == 0) continue;
    Table table;
    uint64_t below = 0;  // how many have a smaller value
    for (size_t value = 0; value < table.size(); ++value) {
      const uint64_t place = value == 0 ? 0 : (below + step / 2) / step;
      table[value] = static_cast<uint8_t>(std::min<uint64_t>(place, 255));
      below += histogram[value];
    }
    LookUp(table, image.plane_size(), image.plane(channel));
  }
}

}  // namespace conadv::augment
