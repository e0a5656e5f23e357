// SPDX-License-Identifier: Apache-2.0
// A data set in memory, and the examples of a unit. Immutable after it is read, so any thread may
// use it. No LibTorch.
#ifndef CONADV_COMMON_DATA_DATASET_H_
#define CONADV_COMMON_DATA_DATASET_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace conadv {

struct Dataset {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  uint32_t classes = 0;         // largest label + 1, of the whole file
  std::vector<uint8_t> pixels;  // [examples][channels][height][width], 255 is 1.0
  std::vector<uint8_t> labels;

  uint64_t examples() const { return labels.size(); }
  size_t pixels_per_example() const { return size_t{channels} * height * width; }
  // Of shape, pixels and labels: what workers compare.
  uint64_t Fingerprint() const;
};

// Copies the examples at `indices`: pixels as value / 255 into images [n][c][h][w], labels into
// labels [n]. REQUIRES: every index < dataset.examples().
void CopyExamples(const Dataset& dataset, absl::Span<const uint64_t> indices, float* images,
                  int64_t* labels);

}  // namespace conadv

#endif  // CONADV_COMMON_DATA_DATASET_H_
