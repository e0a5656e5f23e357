// SPDX-License-Identifier: Apache-2.0
// Sharpness, as torchvision 0.14's adjust_sharpness() has it on uint8 tensors, to the same values.
// A pure function; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_SHARPNESS_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_SHARPNESS_H_

#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// Blends the image, of which `factor` >= 0 is the share, with one smoothed by the 3 x 3 kernel of
// ones around a five. Pixels at the border are not smoothed; an image of less than 3 x 3 stays as
// it is. REQUIRES: both have one shape, and do not overlap.
void AdjustSharpness(double factor, ConstPlanes from, Planes to);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_SHARPNESS_H_
