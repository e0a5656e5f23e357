// SPDX-License-Identifier: Apache-2.0
// What changes each pixel's value and leaves it in its place, in place, as torchvision 0.14's
// functional transforms of uint8 tensors do it, to the same values. Pure functions; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_COLOUR_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_COLOUR_H_

#include <cstdint>

#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// Blends with something, the image's share being `factor` >= 0: 1 changes nothing, 0 leaves what it
// is blended with, and more than 1 moves away from it.

// With black.
void AdjustBrightness(double factor, Planes image);
// With its own grey. Only an image of three channels has colours, others stay as they are.
void AdjustSaturation(double factor, Planes image);
// With the mean of its grey; of all its values unless it has three channels.
void AdjustContrast(double factor, Planes image);

// Keeps the `bits` upper bits of each value. REQUIRES: 0 <= bits <= 8.
void Posterize(int bits, Planes image);
// Inverts the values that are at least `threshold`.
void Solarize(double threshold, Planes image);
void Invert(Planes image);

// Stretches each channel's values, so that they reach from 0 to 255.
void AutoContrast(Planes image);
// Makes each channel's histogram as even as a table of values can.
void Equalize(Planes image);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_COLOUR_H_
