// SPDX-License-Identifier: Apache-2.0
#include "worker/data/memory_dataset.h"

#include <cstring>
#include <utility>

#include "common/tensor/crc32c.h"
#include "worker/data/fingerprint.h"

namespace conadv {

uint64_t FingerprintOf(const ExampleArrays& arrays) {
  const uint64_t of_pixels = ExtendCrc32c(0, arrays.pixels.data(), arrays.pixels.size());
  const uint32_t of_labels =
      ExtendCrc32c(ShapeFingerprint(arrays.image_size, arrays.classes, arrays.examples()),
                   arrays.labels.data(), arrays.labels.size());
  return of_pixels << 32 | of_labels;
}

MemoryDataset::MemoryDataset(ExampleArrays arrays) : arrays_(std::move(arrays)) {}

absl::StatusOr<int64_t> MemoryDataset::Load(uint64_t index, absl::Span<uint8_t> image) const {
  std::memcpy(image.data(), arrays_.pixels.data() + index * image.size(), image.size());
  return arrays_.labels[index];
}

}  // namespace conadv
