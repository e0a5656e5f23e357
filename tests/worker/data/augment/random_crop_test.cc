// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/random_crop.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "tests/worker/data/augment/pictures.h"

namespace conadv::augment {
namespace {

int64_t Black(const Picture& image) {
  return std::count(image.pixels.begin(), image.pixels.end(), 0);
}

TEST(RandomFlip, HappensAsOftenAsItsProbabilitySays) {
  const Picture image = MakePicture(1, 1, 2, {1, 2});
  for (const float probability : {0.0F, 0.3F, 1.0F}) {
    int flipped = 0;
    for (uint64_t example = 0; example < 2000; ++example) {
      Picture copy = image;
      std::vector<uint8_t> scratch;
      Random random = Stream(example);
      RandomFlip(probability, &random, copy.planes(), &scratch);
      flipped += copy == image ? 0 : 1;
    }
    EXPECT_NEAR(flipped / 2000.0, probability, probability == 0.3F ? 0.03 : 0);
  }
}

TEST(PadAndCrop, ShiftsByAtMostItsPaddingEachWayEquallyOften) {
  std::map<std::vector<uint8_t>, int> counts;
  for (uint64_t example = 0; example < 9000; ++example) {
    Picture image = MakePicture(1, 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9});
    std::vector<uint8_t> scratch;
    Random random = Stream(example);
    PadAndCrop(1, &random, image.planes(), &scratch);
    ++counts[image.pixels];
  }
  EXPECT_EQ(counts.size(), 9U);
  for (const auto& [pixels, count] : counts) EXPECT_NEAR(count, 1000, 150);
}

TEST(Cutout, ErasesASquareAroundAPixelOfTheImage) {
  int64_t most = 0;
  for (uint64_t example = 0; example < 300; ++example) {
    Picture image = Noise(1, 12, 10);
    Random random = Stream(example);
    Cutout(4, &random, image.planes());
    const int64_t black = Black(image);
    EXPECT_GE(black, 4) << "a quarter of it is left in a corner";
    most = std::max(most, black);
  }
  EXPECT_EQ(most, 16);
}

TEST(DrawBox, LiesInTheImageAndHasAnAreaAndAnAspectAsAllowed) {
  const ResizedCropOptions options{0.25, 0.5, 0.5, 2};
  double area = 0;
  for (uint64_t example = 0; example < 1000; ++example) {
    Random random = Stream(example);
    const Box box = DrawBox(options, 200, 300, &random);
    EXPECT_GE(box.top, 0);
    EXPECT_GE(box.left, 0);
    EXPECT_LE(box.top + box.height, 200);
    EXPECT_LE(box.left + box.width, 300);
    const double share = static_cast<double>(box.height) * box.width / (200 * 300);
    EXPECT_GE(share, 0.24);
    EXPECT_LE(share, 0.51);
    const double aspect = static_cast<double>(box.width) / box.height;
    EXPECT_GE(aspect, 0.49);
    EXPECT_LE(aspect, 2.03);
    area += share / 1000;
  }
  EXPECT_NEAR(area, 0.375, 0.015);
}

TEST(DrawBox, IsTheMiddleWhereNothingFits) {
  Random random = Stream(1);
  EXPECT_EQ(DrawBox({1, 1, 1, 1}, 10, 30, &random), (Box{0, 10, 10, 10}));
  EXPECT_EQ(DrawBox({1, 1, 1, 1}, 30, 10, &random), (Box{10, 0, 10, 10}));
}

TEST(RandomResizedCrop, IsTheSameBitsForTheSameRandom) {
  for (uint64_t example = 0; example < 20; ++example) {
    Picture one = Noise(3, 24, 32);
    Picture two = one;
    std::vector<uint8_t> scratch;
    Random random = Stream(example);
    RandomResizedCrop({}, &random, one.planes(), &scratch);
    random = Stream(example);
    RandomResizedCrop({}, &random, two.planes(), &scratch);
    EXPECT_EQ(one, two);
  }
}

}  // namespace
}  // namespace conadv::augment
