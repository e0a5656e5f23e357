// SPDX-License-Identifier: Apache-2.0
// Shears, translations and rotations: each pixel from the nearest place of the image, black where
// there is none, as torchvision 0.14's affine() and rotate() have it on uint8 tensors. Pure
// functions; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_AFFINE_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_AFFINE_H_

#include <array>
#include <cstdint>

#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// Row after row: where a pixel of the result comes from, [x', y'] = M [x, y, 1], in pixels from the
// image's centre.
using Matrix = std::array<double, 6>;

// By `share` of the distance from the upper left corner: x' = x + share * y, and y' = y + share *
// x.
Matrix ShearX(double share, double height);
Matrix ShearY(double share, double width);
// Pixels to the right, and down.
Matrix TranslateBy(double x, double y);
// Counter-clockwise, around the centre.
Matrix RotateBy(double degrees);

constexpr uint32_t kMostSide = 32768;

// REQUIRES: both have one shape, no larger than kMostSide a side, and do not overlap.
void Transform(const Matrix& matrix, ConstPlanes from, Planes to);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_AFFINE_H_
