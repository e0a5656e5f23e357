// SPDX-License-Identifier: Apache-2.0
#include "common/base/random.h"

#include <cmath>
#include <random>

namespace conadv {

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * counter[0];
    const uint64_t product1 = uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
               static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
               static_cast<uint32_t>(product0)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

Random::Random(uint64_t seed, Purpose purpose, uint64_t a, uint32_t b) {
  // The purpose and b go through the key, so that the counter has 96 bits for a and the blocks.
  const auto mixed = Philox({static_cast<uint32_t>(purpose), b, 0x636f6e61, 0x64760000},
                            {static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32)});
  key_ = {mixed[0], mixed[1]};
  counter_ = {0, static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32), 0};
}

uint32_t Random::Next32() {
  if (used_ == 4) {
    block_ = Philox(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return block_[used_++];
}

uint64_t Random::Next64() {
  const uint64_t high = Next32();
  return high << 32 | Next32();
}

float Random::NextFloat() { return static_cast<float>(Next32() >> 8) * 0x1p-24F; }

uint64_t Random::Below(uint64_t n) {
  const uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  uint64_t draw = Next64();
  while (draw >= limit) draw = Next64();
  return draw % n;
}

float Random::NextGaussian() {
  // 1 - u is in (0, 1], so the logarithm is finite.
  const double radius = std::sqrt(-2.0 * std::log(1.0 - static_cast<double>(NextFloat())));
  const double angle = 6.283185307179586 * static_cast<double>(NextFloat());
  return static_cast<float>(radius * std::cos(angle));
}

Incarnation RandomIncarnation() {
  std::random_device device;
  const uint64_t high = device();
  return Incarnation((high << 32 | device()) | 1);  // 0 means "none"
}

}  // namespace conadv
