// SPDX-License-Identifier: Apache-2.0
// Someone else's pixels, [channels][height][width], 255 is 1.0. Plain values that own nothing;
// thread-safe as pointers are.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_PLANES_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_PLANES_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace conadv::augment {

template <typename Pixel>
struct PlanesOf {
  uint32_t channels = 0;
  uint32_t height = 0;
  uint32_t width = 0;
  Pixel* pixels = nullptr;

  size_t plane_size() const { return size_t{height} * width; }
  size_t size() const { return channels * plane_size(); }
  Pixel* plane(uint32_t channel) const { return pixels + channel * plane_size(); }
  Pixel* row(uint32_t channel, uint32_t y) const { return plane(channel) + size_t{y} * width; }

  template <typename Other>
  bool SameShape(const PlanesOf<Other>& other) const {
    return channels == other.channels && height == other.height && width == other.width;
  }
  operator PlanesOf<const Pixel>() const { return {channels, height, width, pixels}; }
};

using Planes = PlanesOf<uint8_t>;
using ConstPlanes = PlanesOf<const uint8_t>;

// A copy that `scratch` holds, for what cannot be done in place. Kept from image to image, it
// allocates once.
inline ConstPlanes CopyOf(ConstPlanes image, std::vector<uint8_t>* scratch) {
  scratch->assign(image.pixels, image.pixels + image.size());
  return {image.channels, image.height, image.width, scratch->data()};
}

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_PLANES_H_
