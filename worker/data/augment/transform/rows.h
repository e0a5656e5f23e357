// SPDX-License-Identifier: Apache-2.0
// Loops over rows of pixels, with the widest vectors that the machine has and the same bits with
// any. Pure functions; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_TRANSFORM_ROWS_H_
#define CONADV_WORKER_DATA_AUGMENT_TRANSFORM_ROWS_H_

#include <cstddef>
#include <cstdint>

namespace conadv::augment {

// to[i] = from[size - 1 - i]. They do not overlap.
void ReverseRow(const uint8_t* from, size_t size, uint8_t* to);

// grey[i] = 0.2989 red[i] + 0.587 green[i] + 0.114 blue[i], in float32 from the left, cut off:
// ITU-R 601's luma as torchvision has it. `grey` may be one of the others.
void GreyRow(const uint8_t* red, const uint8_t* green, const uint8_t* blue, size_t size,
             uint8_t* grey);

// out[i] = ratio * image[i] + (1 - ratio) * other[i], in float32, clamped to [0, 255] and cut off.
// `out` may be one of the others.
void BlendRow(const uint8_t* image, const uint8_t* other, size_t size, double ratio, uint8_t* out);

// What BlendRow() does to one pixel.
uint8_t Blend(float image, float other, double ratio);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_TRANSFORM_ROWS_H_
