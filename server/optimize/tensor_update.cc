// SPDX-License-Identifier: Apache-2.0
#include "server/optimize/tensor_update.h"

namespace conadv {

TensorUpdate PartOf(const TensorUpdate& tensor, size_t begin, size_t size) {
  TensorUpdate part = tensor;
  part.offset += begin;
  part.size = size;
  part.weights += begin;
  if (part.next != nullptr) part.next += begin;
  for (const float*& sum : part.sum) {
    if (sum != nullptr) sum += begin;
  }
  if (part.used != nullptr) part.used += begin;
  return part;
}

StreamNorms& operator+=(StreamNorms& sum, const StreamNorms& part) {
  for (size_t stream = 0; stream < kMostStreams; ++stream) {
    sum.square[stream] += part.square[stream];
    sum.dot[stream] += part.dot[stream];
  }
  return sum;
}

Measured& operator+=(Measured& sum, const Measured& part) {
  sum.streams += part.streams;
  sum.gradient += part.gradient;
  sum.weights += part.weights;
  return sum;
}

}  // namespace conadv
