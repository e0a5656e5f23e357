// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/operation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/worker/data/augment/pictures.h"

namespace conadv::augment {
namespace {

TEST(Operation, IsFoundByItsName) {
  for (int i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    EXPECT_EQ(OperationNamed(NameOf(operation)), operation);
  }
  EXPECT_EQ(OperationNamed("shearx"), std::nullopt);
}

TEST(Operation, ChangesNothingInItsWeakestBin) {
  // Identity to Solarize: the others have no bins.
  for (int i = 0; i <= static_cast<int>(Operation::kSolarize); ++i) {
    const auto operation = static_cast<Operation>(i);
    Picture image = Noise(3, 19, 37);
    // Solarize's weakest threshold is 255 itself.
    std::replace(image.pixels.begin(), image.pixels.end(), uint8_t{255}, uint8_t{254});
    const Picture before = image;
    std::vector<uint8_t> scratch;
    const double weakest = MagnitudeOf(operation, 0, 10, image.height, image.width);
    Apply(operation, weakest, image.planes(), &scratch);
    EXPECT_EQ(image, before) << NameOf(operation);
  }
}

TEST(Operation, IsTheSameBitsWhateverTheScratchHeld) {
  for (int i = 0; i < kOperations; ++i) {
    const auto operation = static_cast<Operation>(i);
    const double magnitude = MagnitudeOf(operation, 7, 10, 19, 37);
    Picture one = Noise(3, 19, 37);
    Picture two = one;
    std::vector<uint8_t> none;
    std::vector<uint8_t> full(10000, 77);
    Apply(operation, magnitude, one.planes(), &none);
    Apply(operation, magnitude, two.planes(), &full);
    EXPECT_EQ(one, two) << NameOf(operation);
  }
}

}  // namespace
}  // namespace conadv::augment
