// SPDX-License-Identifier: Apache-2.0
// What weights and gradients may be on the wire: float32, or bfloat16, its upper half (8 bits of
// exponent, 8 of precision). Pure functions; memory is little-endian, as everywhere.
#ifndef CONADV_COMMON_TENSOR_BFLOAT16_H_
#define CONADV_COMMON_TENSOR_BFLOAT16_H_

#include <cstddef>
#include <cstdint>

#include "absl/types/span.h"

namespace conadv {

enum class ElementType { kFloat32, kBfloat16 };

inline size_t BytesOf(ElementType type) { return type == ElementType::kBfloat16 ? 2 : 4; }

// The nearest bfloat16 of each, the even one of two; a NaN stays one. `out` has 2 bytes for each.
// Exact where a value is one already.
void PackBfloat16(absl::Span<const float> values, void* out);
// Each up or down to a bfloat16, by chance in proportion to the distance, so that the mean is the
// value itself. The chance is a function of the key and of the value's place, so that who computes
// a gradient anew sends the same bits. What is not finite stays so.
void RoundByChance(uint64_t key, absl::Span<float> values);

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_BFLOAT16_H_
