// SPDX-License-Identifier: Apache-2.0
// What takes a part of an image, or takes one away. Pure functions; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_CROP_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_CROP_H_

#include <cstdint>

#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// A rectangle of pixels. It may reach out of the image.
struct Box {
  int32_t top = 0;
  int32_t left = 0;
  int32_t height = 0;
  int32_t width = 0;

  friend bool operator==(const Box& a, const Box& b) {
    return a.top == b.top && a.left == b.left && a.height == b.height && a.width == b.width;
  }
};

// Left becomes right. REQUIRES: both have one shape, and do not overlap.
void FlipHorizontally(ConstPlanes from, Planes to);

// The part whose upper left corner is at (top, left), which may be negative; black where it reaches
// out of the image. REQUIRES: both have as many channels, and do not overlap.
void CropAt(int32_t top, int32_t left, ConstPlanes from, Planes to);

// Makes the part of the box that lies in the image black.
void Erase(const Box& box, Planes image);

// The box scaled to `to`'s size: between the four neighbours in proportion (bilinear) and to the
// nearest, without smoothing first, as torchvision 0.14's resized_crop() has it on uint8 tensors.
// REQUIRES: the box is not empty and lies in the image; both have as many channels, and do not
// overlap.
void ResizedCrop(const Box& box, ConstPlanes from, Planes to);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_CROP_H_
