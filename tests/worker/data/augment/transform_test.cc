// SPDX-License-Identifier: Apache-2.0
// What no comparison with torchvision tells: tests/python/augment_test.py has that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/worker/data/augment/pictures.h"
#include "worker/data/augment/transform/affine.h"
#include "worker/data/augment/transform/colour.h"
#include "worker/data/augment/transform/crop.h"
#include "worker/data/augment/transform/rows.h"
#include "worker/data/augment/transform/sharpness.h"

namespace conadv::augment {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(Rows, ARowHasTheSameBitsWhateverVectorsCoverIt) {
  const Picture noise = Noise(3, 1, 300);
  const uint8_t* const a = noise.pixels.data();
  const uint8_t* const b = a + 300;
  for (size_t size = 0; size <= 150; ++size) {
    std::vector<uint8_t> row(size);
    BlendRow(a + size, b + size, size, 1.3, row.data());
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(row[i], Blend(a[size + i], b[size + i], 1.3));
    std::vector<uint8_t> one(1);
    GreyRow(a, b, b + 150, size, row.data());
    for (size_t i = 0; i < size; ++i) {
      GreyRow(a + i, b + i, b + 150 + i, 1, one.data());
      EXPECT_EQ(row[i], one[0]);
    }
    ReverseRow(a, size, row.data());
    for (size_t i = 0; i < size; ++i) EXPECT_EQ(row[i], a[size - 1 - i]);
  }
}

TEST(Transform, TakesImagesOfAnyNumberOfChannels) {
  for (const uint32_t channels : {1U, 2U, 4U, 5U}) {
    const Picture noise = Noise(channels, 9, 21);
    Picture image = noise;
    AdjustSaturation(0.5, image.planes());
    EXPECT_EQ(image, noise) << "only three channels have colours";
    AdjustBrightness(1, image.planes());
    AdjustContrast(1, image.planes());
    EXPECT_EQ(image, noise);
    Picture from = noise;
    AdjustSharpness(1, from.planes(), image.planes());
    Transform(RotateBy(0), from.planes(), image.planes());
    EXPECT_EQ(image, noise);
  }
}

TEST(Transform, AnImageOfNoWidthIsNothing) {
  Picture image{3, 4, 0, {}};
  Picture other = image;
  AutoContrast(image.planes());
  Equalize(image.planes());
  Transform(RotateBy(10), image.planes(), other.planes());
  FlipHorizontally(image.planes(), other.planes());
  EXPECT_EQ(image, other);
}

TEST(Crop, IsBlackWhereItReachesOutOfTheImage) {
  Picture image = MakePicture(1, 2, 3, {1, 2, 3, 4, 5, 6});
  Picture part = MakePicture(1, 3, 2, std::vector<uint8_t>(6, 9));
  CropAt(-1, 2, image.planes(), part.planes());
  EXPECT_THAT(part.pixels, ElementsAre(0, 0, 3, 0, 6, 0));
  CropAt(1, -1, image.planes(), part.planes());
  EXPECT_THAT(part.pixels, ElementsAre(0, 4, 0, 0, 0, 0));
  for (const int32_t away : {-2147483647, -10, 10, 2147483647}) {
    CropAt(away, 0, image.planes(), part.planes());
    EXPECT_THAT(part.pixels, Each(0)) << away;
    part.pixels.assign(6, 9);
    CropAt(0, away, image.planes(), part.planes());
    EXPECT_THAT(part.pixels, Each(0)) << away;
  }
}

TEST(Erase, LeavesWhatLiesOutsideOfTheBox) {
  Picture image = MakePicture(1, 3, 3, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  Erase({-1, 1, 3, 9}, image.planes());
  EXPECT_THAT(image.pixels, ElementsAre(1, 0, 0, 4, 0, 0, 7, 8, 9));
  Erase({5, 5, 2, 2}, image.planes());
  Erase({0, 0, 0, 3}, image.planes());
  EXPECT_THAT(image.pixels, ElementsAre(1, 0, 0, 4, 0, 0, 7, 8, 9));
}

TEST(ResizedCrop, OfTheWholeImageToItsOwnSizeIsTheImage) {
  Picture noise = Noise(3, 31, 47);
  Picture image = MakePicture(3, 31, 47, std::vector<uint8_t>(noise.pixels.size()));
  ResizedCrop({0, 0, 31, 47}, noise.planes(), image.planes());
  EXPECT_EQ(image, noise);
}

}  // namespace
}  // namespace conadv::augment
