// SPDX-License-Identifier: Apache-2.0
// A data set whose images are all in memory, for small ones. Immutable and thread-safe.
#ifndef CONADV_WORKER_DATA_MEMORY_DATASET_H_
#define CONADV_WORKER_DATA_MEMORY_DATASET_H_

#include <cstdint>
#include <string>
#include <vector>

#include "worker/data/dataset.h"

namespace conadv {

// Labels are bytes: at most 256 classes.
struct ExampleArrays {
  ImageSize image_size;
  uint32_t classes = 0;         // largest label + 1, of the whole file
  std::vector<uint8_t> pixels;  // [examples][channels][height][width], 255 is 1.0
  std::vector<uint8_t> labels;
  std::vector<std::string> class_names;  // one for each class, or none

  uint64_t examples() const { return labels.size(); }
};

// Of shape, pixels and labels.
uint64_t FingerprintOf(const ExampleArrays& arrays);

class MemoryDataset final : public Dataset {
 public:
  // REQUIRES: there are as many images as labels, and no label is above `classes` − 1.
  explicit MemoryDataset(ExampleArrays arrays);

  uint64_t examples() const override { return arrays_.examples(); }
  uint32_t classes() const override { return arrays_.classes; }
  std::vector<std::string> class_names() const override { return arrays_.class_names; }
  ImageSize image_size() const override { return arrays_.image_size; }
  uint64_t Fingerprint() const override { return FingerprintOf(arrays_); }
  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override;

 private:
  const ExampleArrays arrays_;
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_MEMORY_DATASET_H_
