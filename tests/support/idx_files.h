// SPDX-License-Identifier: Apache-2.0
// A small made-up data set that a model can learn, as the IDX files that workers read. Pure
// function of the options.
#ifndef CONADV_TESTS_SUPPORT_IDX_FILES_H_
#define CONADV_TESTS_SUPPORT_IDX_FILES_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"

namespace conadv {

struct SyntheticOptions {
  uint64_t seed = 1;
  uint32_t train = 512;
  uint32_t test = 128;
  uint32_t classes = 4;  // 1 to 256
  uint32_t height = 16;
  uint32_t width = 16;
};

// Each class is a bright blob at its own place on an ellipse around the middle, moved by a pixel at
// most, over faint noise. Labels take turns, so that any run of examples is balanced. Writes
// train-* and t10k-* files, not compressed, into `directory`, which it makes. REQUIRES: no option
// is 0 but the seed.
absl::Status WriteSyntheticIdx(const std::string& directory, const SyntheticOptions& options);

}  // namespace conadv

#endif  // CONADV_TESTS_SUPPORT_IDX_FILES_H_
