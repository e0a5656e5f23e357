// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(Simulation, IsReadAsItIsWritten) {
  const auto simulation =
      ParseSimulation("attack=1.5s,clean=0,adversarial=250us,parameters=25M,lanes=4");
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  EXPECT_EQ(simulation->attack, absl::Milliseconds(1500));
  EXPECT_EQ(simulation->clean, absl::ZeroDuration());
  EXPECT_EQ(simulation->adversarial, absl::Microseconds(250));
  EXPECT_EQ(simulation->parameters, 25'000'000U);
  EXPECT_EQ(simulation->lanes, 4);
}

TEST(Simulation, WhatIsLeftOutStaysAsItIs) {
  const auto simulation = ParseSimulation("lanes=1,parameters=22000");
  ASSERT_TRUE(simulation.ok()) << simulation.status();
  EXPECT_EQ(simulation->attack, Simulation().attack);
  EXPECT_EQ(simulation->parameters, 22'000U);
  EXPECT_EQ(simulation->lanes, 1);
}

struct Mistake {
  const char* text;
  const char* said;
};
class WrongSimulation : public ::testing::TestWithParam<Mistake> {};
INSTANTIATE_TEST_SUITE_P(
    Fields, WrongSimulation,
    ::testing::Values(
        Mistake{"attack=50", "attack: must be a time from 0 to 1m, as in 50ms, got \"50\""},
        Mistake{"clean=-1ms", "clean: must be a time"},
        Mistake{"adversarial=2m", "adversarial: must be a time from 0 to 1m"},
        Mistake{"adversarial=inf", "adversarial: must be a time from 0 to 1m"},
        Mistake{"parameters=0", "parameters: must be a number from 1 to 10G, as in 25M, got \"0\""},
        Mistake{"parameters=11G", "parameters: must be"},
        Mistake{"parameters=M", "parameters: must be"},
        Mistake{"parameters=99999999999999999999", "parameters: must be"},
        Mistake{"parameters=25m", "parameters: must be"},
        Mistake{"lanes=0", "lanes: must be a number from 1 to 256, got \"0\""},
        Mistake{"lanes=", "lanes: must be a number from 1 to 256, got \"\""},
        Mistake{"lanes", "lanes: must be"}, Mistake{"lanes=1=2", "lanes: must be"},
        Mistake{"lanes=1,lanes=2", "lanes: is there twice"},
        Mistake{"atack=50ms", "there is no \"atack\", did you mean attack?"},
        Mistake{"=5", "there is no \"\""}));

TEST_P(WrongSimulation, IsRefusedWithItsField) {
  const auto simulation = ParseSimulation(GetParam().text);
  EXPECT_TRUE(absl::IsInvalidArgument(simulation.status()));
  EXPECT_THAT(std::string(simulation.status().message()), HasSubstr("--simulate: "));
  EXPECT_THAT(std::string(simulation.status().message()), HasSubstr(GetParam().said));
}

}  // namespace
}  // namespace conadv
