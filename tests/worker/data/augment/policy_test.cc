// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "tests/worker/data/augment/pictures.h"

namespace conadv::augment {
namespace {

Picture Augmented(AutoAugmentPolicy policy, Picture image, Random* random) {
  std::vector<uint8_t> scratch;
  AutoAugment(policy, random, image.planes(), &scratch);
  return image;
}

TEST(AutoAugment, IsTheSameBitsForTheSameRandom) {
  const Picture noise = Noise(3, 32, 32);
  std::set<std::vector<uint8_t>> different;
  for (const AutoAugmentPolicy policy :
       {AutoAugmentPolicy::kImageNet, AutoAugmentPolicy::kCifar10, AutoAugmentPolicy::kSvhn}) {
    for (uint64_t example = 0; example < 50; ++example) {
      Random random = Stream(example);
      Random again = Stream(example);
      const Picture image = Augmented(policy, noise, &random);
      EXPECT_EQ(image, Augmented(policy, noise, &again));
      different.insert(image.pixels);
    }
  }
  EXPECT_GT(different.size(), 40U) << "and not for another";
}

// So that what is drawn after it does not depend on the image, or on which pair it was.
TEST(AutoAugment, DrawsAsManyNumbersWhateverComesOfIt) {
  for (uint64_t example = 0; example < 100; ++example) {
    Random random = Stream(example);
    Augmented(AutoAugmentPolicy::kCifar10, Noise(3, 4, 4), &random);
    Random expected = Stream(example);
    expected.Below(25);
    expected.NextFloat();
    expected.NextFloat();
    expected.Below(2);
    expected.Below(2);
    EXPECT_EQ(random.Next64(), expected.Next64());
  }
}

TEST(AutoAugment, AppliesEachOperationAsOftenAsItsPolicySays) {
  // The share of images that stay as they are is the product of the probabilities against it: for
  // noise, every operation of SVHN's policy changes something.
  double unchanged = 0;
  for (const Pair& pair : PairsOf(AutoAugmentPolicy::kSvhn)) {
    unchanged += (1.0 - pair[0].probability) * (1.0 - pair[1].probability) / 25;
  }
  const Picture noise = Noise(3, 32, 32);
  constexpr int kImages = 4000;
  int same = 0;
  for (uint64_t example = 0; example < kImages; ++example) {
    Random random = Stream(example);
    same += Augmented(AutoAugmentPolicy::kSvhn, noise, &random) == noise ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(same) / kImages, unchanged, 0.015);
}

TEST(RandAugment, DrawsTwoNumbersForEachOperation) {
  for (uint64_t example = 0; example < 50; ++example) {
    Picture image = Noise(3, 8, 8);
    std::vector<uint8_t> scratch;
    Random random = Stream(example);
    RandAugment({3, 9, 31}, &random, image.planes(), &scratch);
    Random expected = Stream(example);
    for (int i = 0; i < 3; ++i) {
      expected.Below(14);
      expected.Below(2);
    }
    EXPECT_EQ(random.Next64(), expected.Next64());
  }
}

TEST(RandAugment, NeverInverts) {
  // Of the fourteen, those that have bins change nothing in the weakest, and the others nothing in
  // an image of one value.
  for (uint64_t example = 0; example < 200; ++example) {
    Picture image = MakePicture(1, 5, 5, std::vector<uint8_t>(25, 100));
    std::vector<uint8_t> scratch;
    Random random = Stream(example);
    RandAugment({1, 0, 31}, &random, image.planes(), &scratch);
    EXPECT_EQ(image.pixels, std::vector<uint8_t>(25, 100));
  }
}

TEST(RandAugment, OfNoOperationsLeavesTheImage) {
  const Picture noise = Noise(3, 8, 8);
  Picture image = noise;
  std::vector<uint8_t> scratch;
  Random random = Stream(1);
  RandAugment({0, 9, 31}, &random, image.planes(), &scratch);
  EXPECT_EQ(image, noise);
}

}  // namespace
}  // namespace conadv::augment
