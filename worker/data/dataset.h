// SPDX-License-Identifier: Apache-2.0
// One split of a data set: numbered examples, read one at a time. Nothing above it may assume that
// they are in memory. Immutable and thread-safe; no LibTorch.
#ifndef CONADV_WORKER_DATA_DATASET_H_
#define CONADV_WORKER_DATA_DATASET_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace conadv {

enum class Split { kTrain, kTest };

// Of every image of a data set.
struct ImageSize {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;

  size_t bytes() const { return size_t{channels} * height * width; }
  friend bool operator==(const ImageSize& a, const ImageSize& b) {
    return a.channels == b.channels && a.height == b.height && a.width == b.width;
  }
  friend bool operator!=(const ImageSize& a, const ImageSize& b) { return !(a == b); }
};

class Dataset {
 public:
  virtual ~Dataset() = default;

  virtual uint64_t examples() const = 0;
  virtual uint32_t classes() const = 0;  // labels are 0 … classes − 1
  // One for each class, or none where they are not known.
  virtual std::vector<std::string> class_names() const { return {}; }
  virtual ImageSize image_size() const = 0;
  // Of all that training sees, or of what tells it apart without reading every image: what workers
  // compare. May take as long as reading everything.
  virtual uint64_t Fingerprint() const = 0;

  // Writes the example's image, [channels][height][width], 255 is 1.0; returns its label. Errors
  // name what cannot be read. REQUIRES: index < examples(), image.size() == image_size().bytes().
  virtual absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_DATASET_H_
