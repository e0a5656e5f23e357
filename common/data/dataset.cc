// SPDX-License-Identifier: Apache-2.0
#include "common/data/dataset.h"

#include <algorithm>
#include <array>

#include "common/tensor/crc32c.h"

namespace conadv {
namespace {

// value / 255 for every byte: one division for each, made once.
std::array<float, 256> MakeUnitInterval() {
  std::array<float, 256> table{};
  for (size_t value = 0; value < table.size(); ++value) {
    table[value] = static_cast<float>(value) / 255.0F;
  }
  return table;
}

uint32_t ExtendWithNumber(uint32_t crc, uint64_t number) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<uint8_t>(number >> (8 * i));
  return ExtendCrc32c(crc, bytes.data(), bytes.size());
}

}  // namespace

uint64_t Dataset::Fingerprint() const {
  const uint64_t of_pixels = ExtendCrc32c(0, pixels.data(), pixels.size());
  uint32_t of_labels = 0;
  for (const uint64_t number :
       {uint64_t{channels}, uint64_t{height}, uint64_t{width}, uint64_t{classes}, examples()}) {
    of_labels = ExtendWithNumber(of_labels, number);
  }
  of_labels = ExtendCrc32c(of_labels, labels.data(), labels.size());
  return of_pixels << 32 | of_labels;
}

void CopyExamples(const Dataset& dataset, absl::Span<const uint64_t> indices, float* images,
                  int64_t* labels) {
  static const std::array<float, 256> unit_interval = MakeUnitInterval();
  const size_t size = dataset.pixels_per_example();
  for (const uint64_t index : indices) {
    const uint8_t* pixels = dataset.pixels.data() + index * size;
    images = std::transform(pixels, pixels + size, images,
                            [](uint8_t value) { return unit_interval[value]; });
    *labels++ = dataset.labels[index];
  }
}

}  // namespace conadv
