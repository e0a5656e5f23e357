// SPDX-License-Identifier: Apache-2.0
#include "worker/data/image/cover.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/worker/data/images.h"

namespace conadv {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

std::vector<uint8_t> Covered(const Image& image, uint32_t height, uint32_t width) {
  std::vector<uint8_t> planes(size_t{image.channels} * height * width);
  Cover(image, height, width, absl::MakeSpan(planes));
  return planes;
}

std::vector<uint32_t> Middle(uint32_t height, uint32_t width, uint32_t to_height,
                             uint32_t to_width) {
  const Crop crop = MiddleOf(height, width, to_height, to_width);
  EXPECT_LE(crop.top + crop.height, height);
  EXPECT_LE(crop.left + crop.width, width);
  return {crop.top, crop.left, crop.height, crop.width};
}

TEST(MiddleOf, IsTheLargestPartOfTheShape) {
  EXPECT_THAT(Middle(375, 500, 224, 224), ElementsAre(0, 62, 375, 375));
  EXPECT_THAT(Middle(500, 375, 224, 224), ElementsAre(62, 0, 375, 375));
  EXPECT_THAT(Middle(32, 32, 224, 224), ElementsAre(0, 0, 32, 32));
  EXPECT_THAT(Middle(100, 100, 10, 20), ElementsAre(25, 0, 50, 100));
}

TEST(MiddleOf, IsNeverNothing) {
  EXPECT_THAT(Middle(1, 60000, 224, 224), ElementsAre(0, 29999, 1, 1));
  EXPECT_THAT(Middle(3, 3, 1, 8192), ElementsAre(1, 0, 1, 3));
}

TEST(Cover, AnImageOfTheSizeStaysAsItIsInPlanes) {
  const Image image{3, 1, 2, {1, 2, 3, 4, 5, 6}};
  EXPECT_THAT(Covered(image, 1, 2), ElementsAre(1, 4, 2, 5, 3, 6));
}

TEST(Cover, AreasAreAveragedWhereItShrinks) {
  EXPECT_THAT(Covered({1, 2, 4, {0, 10, 20, 30, 20, 30, 40, 50}}, 1, 2), ElementsAre(15, 35));
}

TEST(Cover, NeighboursAreInterpolatedWhereItGrows) {
  EXPECT_THAT(Covered({1, 1, 2, {0, 100}}, 2, 4), ElementsAre(0, 25, 75, 100, 0, 25, 75, 100));
}

TEST(Cover, TakesTheMiddle) {
  EXPECT_THAT(Covered({1, 1, 4, {9, 8, 7, 6}}, 1, 2), ElementsAre(8, 7));
  EXPECT_THAT(Covered({1, 1, 3, {9, 8, 7}}, 1, 1), ElementsAre(8));
}

TEST(Cover, TheNarrowestImageCoversTheLargest) {
  EXPECT_THAT(Covered(Flat(1, 60000, {7}), 300, 300), Each(7));
}

}  // namespace
}  // namespace conadv
