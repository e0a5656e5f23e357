// SPDX-License-Identifier: Apache-2.0
// Flips, crops and cutout, drawn at random. The same bits for the same Random. Thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_RANDOM_CROP_H_
#define CONADV_WORKER_DATA_AUGMENT_RANDOM_CROP_H_

#include <cstdint>
#include <vector>

#include "common/base/random.h"
#include "common/job/augmentation.h"
#include "worker/data/augment/transform/crop.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// Left becomes right with that probability. Draws one number, whatever comes of it.
void RandomFlip(float probability, Random* random, Planes image, std::vector<uint8_t>* scratch);

// The image with `padding` black pixels around it, and a part of the image's size cut out of that.
// Draws the top, then the left side, each uniform in [0, 2 * padding].
void PadAndCrop(uint32_t padding, Random* random, Planes image, std::vector<uint8_t>* scratch);

// A black square of `length` pixels a side around a pixel of the image, cut off at its border
// (DeVries and Taylor, arXiv 1708.04552). Draws the pixel's row, then its column, uniform.
void Cutout(uint32_t length, Random* random, Planes image);

// As torchvision 0.14's RandomResizedCrop.get_params(): ten times an area, uniform, and an aspect,
// uniform in its logarithm, until the box fits into the image; then its top, then its left side,
// uniform. If none fits, the largest in the middle that has an aspect allowed. It always fits
// wherever the sizes are as usual.
Box DrawBox(const ResizedCropOptions& options, uint32_t height, uint32_t width, Random* random);

// Draws a box and scales it to the image's size.
void RandomResizedCrop(const ResizedCropOptions& options, Random* random, Planes image,
                       std::vector<uint8_t>* scratch);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_RANDOM_CROP_H_
