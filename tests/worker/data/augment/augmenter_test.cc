// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/augmenter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/worker/data/augment/pictures.h"

namespace conadv::augment {
namespace {

std::vector<AugmentationStep> EveryStep() {
  return {{ResizedCropOptions{}}, {FlipOptions{0.5}},
          {CropOptions{3}},       {AutoAugmentOptions{AutoAugmentPolicy::kCifar10}},
          {RandAugmentOptions{}}, {CutoutOptions{5}}};
}

Picture Augmented(const Augmenter& augmenter, uint64_t step, uint64_t slot, uint32_t example,
                  Picture image = Noise(3, 32, 32)) {
  std::vector<uint8_t> scratch;
  augmenter.Apply(Unit{Step(step), Slot(slot)}, example, image.planes(), &scratch);
  return image;
}

// [I3]
TEST(Augmenter, IsAFunctionOfSeedUnitAndPlace) {
  const Augmenter augmenter(EveryStep(), 1);
  for (uint32_t example = 0; example < 20; ++example) {
    EXPECT_EQ(Augmented(augmenter, 7, 2, example),
              Augmented(Augmenter(EveryStep(), 1), 7, 2, example));
  }
}

TEST(Augmenter, EachExampleOfEachUnitAndSeedHasDrawsOfItsOwn) {
  std::set<std::vector<uint8_t>> different;
  for (const uint64_t seed : {1, 2}) {
    const Augmenter augmenter(EveryStep(), seed);
    for (const uint64_t step : {uint64_t{0}, uint64_t{1}, uint64_t{1} << 39}) {
      for (const uint64_t slot : {0, 1, 4095}) {
        for (const uint32_t example : {0, 1}) {
          different.insert(Augmented(augmenter, step, slot, example).pixels);
        }
      }
    }
  }
  EXPECT_EQ(different.size(), 36U);
}

TEST(Augmenter, WhatEveryPassSeesIsDrawnAlike) {
  std::vector<AugmentationStep> steps = EveryStep();
  for (size_t i = 0; i < 3; ++i) steps[i].every_pass = true;
  const std::vector<AugmentationStep> first(steps.begin(), steps.begin() + 3);
  std::vector<uint8_t> scratch;
  for (uint32_t example = 0; example < 20; ++example) {
    Picture image = Noise(3, 32, 32);
    Picture augmented = MakePicture(3, 32, 32, std::vector<uint8_t>(3 * 32 * 32));
    Augmenter(steps, 1).ApplyApart(Unit{Step(7), Slot(2)}, example, image.planes(),
                                   augmented.planes(), &scratch);
    EXPECT_EQ(image, Augmented(Augmenter(first, 1), 7, 2, example));
    EXPECT_EQ(augmented, Augmented(Augmenter(steps, 1), 7, 2, example));
  }
}

TEST(Augmenter, DoesItsStepsInTheirOrder) {
  const Picture image = MakePicture(1, 1, 2, {10, 200});
  const std::vector<AugmentationStep> steps = {{FlipOptions{1}}, {CutoutOptions{1}}};
  const std::vector<AugmentationStep> reversed = {{CutoutOptions{1}}, {FlipOptions{1}}};
  bool differ = false;
  for (uint32_t example = 0; example < 10; ++example) {
    const Picture one = Augmented(Augmenter(steps, 1), 0, 0, example, image);
    const Picture other = Augmented(Augmenter(reversed, 1), 0, 0, example, image);
    EXPECT_TRUE(one.pixels[0] == 0 ? one.pixels[1] == 10 : one.pixels[0] == 200);
    differ = differ || !(one == other);
  }
  EXPECT_TRUE(differ);
}

TEST(Augmenter, OfNoStepsLeavesImages) {
  const Augmenter augmenter({}, 1);
  EXPECT_TRUE(augmenter.empty());
  EXPECT_EQ(Augmented(augmenter, 1, 1, 1), Noise(3, 32, 32));
}

TEST(Augmenter, TakesImagesOfEverySize) {
  for (const uint32_t channels : {1U, 3U, 4U}) {
    for (const uint32_t height : {0U, 1U, 2U, 5U}) {
      for (const uint32_t width : {0U, 1U, 3U, 40U}) {
        for (uint32_t example = 0; example < 20; ++example) {
          Augmented(Augmenter(EveryStep(), 1), 1, 1, example, Noise(channels, height, width));
        }
      }
    }
  }
}

}  // namespace
}  // namespace conadv::augment
