// SPDX-License-Identifier: Apache-2.0
#include "worker/data/permutation.h"

#include <array>
#include <utility>

#include "absl/numeric/bits.h"
#include "absl/numeric/int128.h"
#include "common/base/random.h"

namespace conadv {
namespace {

// Stafford's "Mix13" finalizer, as SplitMix64 uses it: every bit of the result depends on every bit
// of the argument.
uint64_t Mix(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// REQUIRES: bits < 64.
uint64_t LowBits(uint64_t value, int bits) { return value & ((uint64_t{1} << bits) - 1); }

// A bijection of [0, n): a Feistel network permutes the 2^bits >= n numbers around it, and a result
// outside is permuted again until it is inside (Black and Rogaway, "Ciphers with arbitrary finite
// domains", 2002). Less than two walks on average.
class Permutation {
 public:
  Permutation(uint64_t seed, uint64_t epoch, uint64_t n) : n_(n) {
    const int bits = n <= 1 ? 0 : 64 - absl::countl_zero(n - 1);
    low_bits_ = (bits + 1) / 2;
    high_bits_ = bits / 2;
    Random random(seed, Purpose::kPermutation, epoch);
    for (uint64_t& key : keys_) key = random.Next64();
  }

  uint64_t operator()(uint64_t position) const {
    uint64_t value = position;
    do {
      value = Encrypt(value);
    } while (value >= n_);
    return value;
  }

 private:
  // An even number, so that halves of different widths change places and come back.
  static constexpr int kRounds = 8;

  uint64_t Encrypt(uint64_t value) const {
    uint64_t high = value >> low_bits_;
    uint64_t low = LowBits(value, low_bits_);
    int high_bits = high_bits_;
    int low_bits = low_bits_;
    for (const uint64_t key : keys_) {
      const uint64_t swapped = high ^ LowBits(Mix(low + key), high_bits);
      high = low;
      low = swapped;
      std::swap(high_bits, low_bits);
    }
    return high << low_bits | low;
  }

  const uint64_t n_;
  int low_bits_ = 0;
  int high_bits_ = 0;
  std::array<uint64_t, kRounds> keys_{};
};

}  // namespace

uint64_t Permute(uint64_t seed, uint64_t epoch, uint64_t n, uint64_t position) {
  return Permutation(seed, epoch, n)(position);
}

std::vector<uint64_t> UnitExamples(uint64_t seed, uint64_t n, uint32_t slots, uint32_t slot_size,
                                   Unit unit) {
  const absl::uint128 first =
      (absl::uint128(unit.step.value()) * slots + unit.slot.value()) * slot_size;
  uint64_t epoch = static_cast<uint64_t>(first / n);
  uint64_t position = static_cast<uint64_t>(first % n);
  std::vector<uint64_t> examples;
  examples.reserve(slot_size);
  while (examples.size() < slot_size) {
    const Permutation permutation(seed, epoch, n);
    for (; position < n && examples.size() < slot_size; ++position) {
      examples.push_back(permutation(position));
    }
    ++epoch;
    position = 0;
  }
  return examples;
}

}  // namespace conadv
