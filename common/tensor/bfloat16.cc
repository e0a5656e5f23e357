// SPDX-License-Identifier: Apache-2.0
#include "common/tensor/bfloat16.h"

#include <cstring>

namespace conadv {
namespace {

constexpr uint32_t kUpper = 0xffff0000;
constexpr uint32_t kExponent = 0x7f800000;

uint32_t BitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float FloatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

// Without branches, so that compilers make vectors of the loops.
uint32_t NearestEven(uint32_t bits) {
  const uint32_t rounded = bits + 0x7fff + ((bits >> 16) & 1);
  // Rounding would carry a NaN's lower bits away, or into the sign.
  const uint32_t quiet = bits | 0x00400000;
  return ((bits & ~0x80000000U) > kExponent ? quiet : rounded) & kUpper;
}

// The finalizer of MurmurHash3 (Appleby, public domain): every bit of x reaches every other.
uint32_t Mix(uint32_t x) {
  x ^= x >> 16;
  x *= 0x85ebca6b;
  x ^= x >> 13;
  x *= 0xc2b2ae35;
  return x ^ (x >> 16);
}

}  // namespace

void PackBfloat16(absl::Span<const float> values, void* out) {
  auto* next = static_cast<unsigned char*>(out);
  for (const float value : values) {
    const auto upper = static_cast<uint16_t>(NearestEven(BitsOf(value)) >> 16);
    std::memcpy(next, &upper, sizeof(upper));
    next += sizeof(upper);
  }
}

void RoundByChance(uint64_t key, absl::Span<float> values) {
  const auto low = static_cast<uint32_t>(key), high = static_cast<uint32_t>(key >> 32);
  for (size_t i = 0; i < values.size(); ++i) {
    const uint32_t bits = BitsOf(values[i]);
    const uint32_t chance = Mix(Mix(static_cast<uint32_t>(i) ^ low) ^ high) >> 16;
    const bool finite = (bits & kExponent) != kExponent;
    values[i] = FloatOf(finite ? (bits + chance) & kUpper : bits);
  }
}

}  // namespace conadv
