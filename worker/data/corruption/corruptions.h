// SPDX-License-Identifier: Apache-2.0
// Common corruptions of a test set, as published for CIFAR-10-C and CIFAR-100-C (arXiv 1903.12261,
// https://zenodo.org/record/2535967): a directory with NAME.npy, uint8 [5 n, height, width,
// channels], n images at each of five severities, one severity after the other, and labels.npy,
// [5 n]. Images are read when they are asked for.
#ifndef CONADV_WORKER_DATA_CORRUPTION_CORRUPTIONS_H_
#define CONADV_WORKER_DATA_CORRUPTION_CORRUPTIONS_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "worker/data/dataset.h"

namespace conadv {

inline constexpr uint64_t kSeverities = 5;
inline constexpr size_t kLongestCorruptionName = 64;  // bytes

struct Corruption {
  std::string name;  // the file's, without .npy
  std::shared_ptr<const Dataset> examples;
};

// In the order of their names. NOT_FOUND: no directory, no labels or no corruptions;
// INVALID_ARGUMENT names the file and what is wrong with it: what DecodeNpyHeader() refuses, images
// of another size than `size`, a number that is no multiple of five or not the labels', a label
// that is none of `classes`, more corruptions than `most`.
absl::StatusOr<std::vector<Corruption>> OpenCorruptions(const std::string& directory,
                                                        const ImageSize& size, uint32_t classes,
                                                        size_t most);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_CORRUPTION_CORRUPTIONS_H_
