// SPDX-License-Identifier: Apache-2.0
// Images to augment. Plain values.
#ifndef CONADV_TESTS_WORKER_DATA_AUGMENT_PICTURES_H_
#define CONADV_TESTS_WORKER_DATA_AUGMENT_PICTURES_H_

#include <cstdint>
#include <utility>
#include <vector>

#include "common/base/random.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

struct Picture {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  std::vector<uint8_t> pixels;

  Planes planes() { return {channels, height, width, pixels.data()}; }
  friend bool operator==(const Picture& a, const Picture& b) {
    return a.channels == b.channels && a.height == b.height && a.width == b.width &&
           a.pixels == b.pixels;
  }
};

inline Picture MakePicture(uint32_t channels, uint32_t height, uint32_t width,
                           std::vector<uint8_t> pixels) {
  return {channels, height, width, std::move(pixels)};
}

// None of its pixels is black.
inline Picture Noise(uint32_t channels, uint32_t height, uint32_t width) {
  Picture picture{channels, height, width, std::vector<uint8_t>(size_t{channels} * height * width)};
  Random random(1, Purpose::kAugmentation);
  for (uint8_t& pixel : picture.pixels) pixel = static_cast<uint8_t>(1 + random.Below(255));
  return picture;
}

inline Random Stream(uint64_t example) { return Random(7, Purpose::kAugmentation, example); }

}  // namespace conadv::augment

#endif  // CONADV_TESTS_WORKER_DATA_AUGMENT_PICTURES_H_
