// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/rounded_compute.h"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

namespace conadv {
namespace {

const std::vector<TensorSpec> kTensors = {{"a", {40, 3}},
                                          {"b", {50}},
                                          {"twin", {5}, TensorKind::kNoDecay, Branch::kAuxiliary},
                                          {"c", {7, 9}}};

// The same gradients in every layout: of each tensor by its name and place.
std::vector<float> Rounded(uint32_t shards, const Unit& unit, uint64_t stream, Branch branch,
                           const std::vector<size_t>& first = {}) {
  const Layout layout = *Layout::Create(kTensors, shards);
  Arena arena(layout.total_size());
  arena.Zero();
  for (const Placement& placement : layout.placements()) {
    for (size_t i = 0; i < placement.tensor.size(); ++i) {
      arena.data()[layout.global_offset(placement) + i] = 0.1F + 0.001F * static_cast<float>(i);
    }
  }
  GradientRounder rounder(5, layout, unit, StreamIndex(stream), branch, &arena);
  for (const size_t placement : first) rounder.Round(placement);
  rounder.RoundRest();
  std::vector<float> values;
  for (const Placement& placement : layout.placements()) {
    const float* const begin = arena.data() + layout.global_offset(placement);
    values.insert(values.end(), begin, begin + placement.tensor.size());
  }
  return values;
}

bool IsBfloat16(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return (bits & 0xffff) == 0;
}

TEST(RoundGradients, GivesTheSameBitsForAnyNumberOfShards) {
  const Unit unit{Step(3), Slot(1)};
  const std::vector<float> one = Rounded(1, unit, 1, Branch::kAuxiliary);
  EXPECT_EQ(one, Rounded(3, unit, 1, Branch::kAuxiliary));
  for (const float value : one) EXPECT_TRUE(IsBfloat16(value));
}

TEST(RoundGradients, GivesTheSameBitsInWhateverOrderTensorsAreDone) {
  const Unit unit{Step(3), Slot(1)};
  EXPECT_EQ(Rounded(2, unit, 1, Branch::kAuxiliary),
            Rounded(2, unit, 1, Branch::kAuxiliary, {3, 0, 3}));
}

TEST(RoundGradients, EachUnitAndStreamHasItsOwnChance) {
  const std::vector<float> one = Rounded(1, {Step(3), Slot(1)}, 0, Branch::kAuxiliary);
  EXPECT_NE(one, Rounded(1, {Step(4), Slot(1)}, 0, Branch::kAuxiliary));
  EXPECT_NE(one, Rounded(1, {Step(3), Slot(2)}, 0, Branch::kAuxiliary));
  EXPECT_NE(one, Rounded(1, {Step(3), Slot(1)}, 1, Branch::kAuxiliary));
}

TEST(RoundGradients, LeavesOtherBranchesTensorsAlone) {
  const std::vector<float> values = Rounded(1, {Step(0), Slot(0)}, 0, Branch::kMain);
  EXPECT_EQ(values[40 * 3 + 50 + 1], 0.1F + 0.001F);
}

}  // namespace
}  // namespace conadv
