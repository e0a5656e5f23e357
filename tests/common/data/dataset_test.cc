// SPDX-License-Identifier: Apache-2.0
#include "common/data/dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <utility>
#include <vector>

namespace conadv {
namespace {

using ::testing::ElementsAre;

Dataset ThreeExamples() {
  Dataset dataset;
  dataset.channels = 1;
  dataset.height = 1;
  dataset.width = 2;
  dataset.classes = 3;
  dataset.pixels = {0, 255, 51, 102, 128, 1};
  dataset.labels = {2, 0, 1};
  return dataset;
}

TEST(CopyExamples, TakesThemInTheOrderAskedFor) {
  const std::vector<uint64_t> indices = {1, 0, 1};
  std::vector<float> images(6, -1);
  std::vector<int64_t> labels(3, -1);
  CopyExamples(ThreeExamples(), indices, images.data(), labels.data());
  EXPECT_THAT(images, ElementsAre(0.2F, 0.4F, 0.0F, 1.0F, 0.2F, 0.4F));
  EXPECT_THAT(labels, ElementsAre(0, 2, 0));
}

TEST(Fingerprint, ChangesWithAnythingThatTrainingSees) {
  const uint64_t fingerprint = ThreeExamples().Fingerprint();
  EXPECT_EQ(ThreeExamples().Fingerprint(), fingerprint);
  const std::vector<std::function<void(Dataset*)>> changes = {
      [](Dataset* d) { d->pixels[3] ^= 1; },
      [](Dataset* d) { std::swap(d->pixels[0], d->pixels[2]); },
      [](Dataset* d) { d->labels[2] = 0; },
      [](Dataset* d) { d->classes = 4; },
      [](Dataset* d) { std::swap(d->height, d->width); },
      [](Dataset* d) {
        d->labels.pop_back();
        d->pixels.resize(4);
      },
  };
  for (size_t i = 0; i < changes.size(); ++i) {
    Dataset changed = ThreeExamples();
    changes[i](&changed);
    EXPECT_NE(changed.Fingerprint(), fingerprint) << "change " << i;
  }
}

// Workers of different builds compare it: another value here keeps them from training together.
TEST(Fingerprint, IsTheSameInEveryBuild) {
  EXPECT_EQ(ThreeExamples().Fingerprint(), 6132155045885993676U);
}

}  // namespace
}  // namespace conadv
