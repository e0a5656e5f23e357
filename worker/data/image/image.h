// SPDX-License-Identifier: Apache-2.0
// A decoded image. A plain value.
#ifndef CONADV_WORKER_DATA_IMAGE_IMAGE_H_
#define CONADV_WORKER_DATA_IMAGE_IMAGE_H_

#include <cstdint>
#include <vector>

namespace conadv {

struct Image {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  std::vector<uint8_t> pixels;  // [height][width][channels]
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_IMAGE_IMAGE_H_
