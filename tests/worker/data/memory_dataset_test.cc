// SPDX-License-Identifier: Apache-2.0
#include "worker/data/memory_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

namespace conadv {
namespace {

using ::testing::ElementsAre;

ExampleArrays ThreeExamples() {
  ExampleArrays arrays;
  arrays.image_size = {1, 1, 2};
  arrays.classes = 3;
  arrays.pixels = {0, 255, 51, 102, 128, 1};
  arrays.labels = {2, 0, 1};
  return arrays;
}

TEST(MemoryDataset, IsItsArrays) {
  const MemoryDataset dataset(ThreeExamples());
  EXPECT_EQ(dataset.examples(), 3U);
  EXPECT_EQ(dataset.classes(), 3U);
  EXPECT_EQ(dataset.image_size(), (ImageSize{1, 1, 2}));
  EXPECT_EQ(dataset.Fingerprint(), FingerprintOf(ThreeExamples()));
  std::vector<uint8_t> image(2);
  EXPECT_EQ(*dataset.Load(1, absl::MakeSpan(image)), 0);
  EXPECT_THAT(image, ElementsAre(51, 102));
}

TEST(Fingerprint, ChangesWithAnythingThatTrainingSees) {
  const uint64_t fingerprint = FingerprintOf(ThreeExamples());
  EXPECT_EQ(FingerprintOf(ThreeExamples()), fingerprint);
  const std::vector<std::function<void(ExampleArrays*)>> changes = {
      [](ExampleArrays* d) { d->pixels[3] ^= 1; },
      [](ExampleArrays* d) { std::swap(d->pixels[0], d->pixels[2]); },
      [](ExampleArrays* d) { d->labels[2] = 0; },
      [](ExampleArrays* d) { d->classes = 4; },
      [](ExampleArrays* d) { std::swap(d->image_size.height, d->image_size.width); },
      [](ExampleArrays* d) {
        d->labels.pop_back();
        d->pixels.resize(4);
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    ExampleArrays changed = ThreeExamples();
    changes[i](&changed);
    EXPECT_NE(FingerprintOf(changed), fingerprint) << "change " << i;
  }
}

// Workers of different builds compare it: another value here keeps them from training together.
TEST(Fingerprint, IsTheSameInEveryBuild) {
  EXPECT_EQ(FingerprintOf(ThreeExamples()), 6132155045885993676U);
}

}  // namespace
}  // namespace conadv
