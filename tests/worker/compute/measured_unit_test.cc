// SPDX-License-Identifier: Apache-2.0
#include "worker/compute/measured_unit.h"

#include <gtest/gtest.h>

#include <set>

namespace conadv {
namespace {

std::set<Unit> MeasuredUnits(uint64_t seed, uint32_t every) {
  Job job;
  job.seed = seed;
  job.training.slots = 4;
  job.attack.cosine_every = every;
  std::set<Unit> units;
  for (uint64_t step = 0; step < 100; ++step) {
    for (uint64_t slot = 0; slot < 4; ++slot) {
      if (MeasuresCosine(job, {Step(step), Slot(slot)})) units.insert({Step(step), Slot(slot)});
    }
  }
  return units;
}

TEST(MeasuredUnit, IsOneOfEverySoManyStepsAndTheSeedSaysWhichSlot) {
  const std::set<Unit> units = MeasuredUnits(3, 10);
  ASSERT_EQ(units.size(), 9U) << "no attack of step 0 is stale";
  uint64_t step = 0;
  std::set<Slot> slots;
  for (const Unit& unit : units) {
    EXPECT_EQ(unit.step.value(), step += 10);
    slots.insert(unit.slot);
  }
  EXPECT_GT(slots.size(), 1U);
  EXPECT_EQ(MeasuredUnits(3, 10), units);
  EXPECT_NE(MeasuredUnits(4, 10), units);
  EXPECT_EQ(MeasuredUnits(3, 1).size(), 99U);
  EXPECT_TRUE(MeasuredUnits(3, 0).empty());
}

}  // namespace
}  // namespace conadv
