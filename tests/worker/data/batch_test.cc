// SPDX-License-Identifier: Apache-2.0
#include "worker/data/batch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "tests/worker/data/generated_dataset.h"
#include "worker/data/memory_dataset.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

struct Loaded {
  std::vector<uint8_t> images;
  std::vector<int64_t> labels;
};

absl::Status Load(const Dataset& dataset, const std::vector<uint64_t>& indices, Loaded* loaded) {
  loaded->images.assign(indices.size() * dataset.image_size().bytes(), 77);
  loaded->labels.assign(indices.size(), -1);
  return LoadBatch(dataset, indices, absl::MakeSpan(loaded->images),
                   absl::MakeSpan(loaded->labels));
}

TEST(LoadBatch, TakesExamplesInTheOrderAskedFor) {
  ExampleArrays arrays;
  arrays.image_size = {1, 1, 2};
  arrays.classes = 3;
  arrays.pixels = {0, 255, 51, 102, 128, 1};
  arrays.labels = {2, 0, 1};
  Loaded loaded;
  ASSERT_TRUE(Load(MemoryDataset(arrays), {1, 0, 1}, &loaded).ok());
  EXPECT_THAT(loaded.images, ElementsAre(51, 102, 0, 255, 51, 102));
  EXPECT_THAT(loaded.labels, ElementsAre(0, 2, 0));
}

TEST(LoadBatch, ClassesMayPass256) {
  const GeneratedDataset dataset(GeneratedOptions{});
  Loaded loaded;
  ASSERT_TRUE(Load(dataset, {999, 256, 300, 1255}, &loaded).ok());
  EXPECT_THAT(loaded.labels, ElementsAre(999, 256, 300, 255));
}

// 64 TiB of images.
TEST(LoadBatch, ExamplesNeedNotFitIntoMemory) {
  const GeneratedDataset dataset(GeneratedOptions{});
  const uint64_t last = dataset.examples() - 1;
  Loaded loaded;
  ASSERT_TRUE(Load(dataset, {last, 0}, &loaded).ok());
  Loaded again;
  ASSERT_TRUE(Load(dataset, {0, last}, &again).ok());
  EXPECT_EQ(loaded.labels[0], dataset.LabelOf(last));
  EXPECT_EQ(std::vector<uint8_t>(loaded.images.begin(), loaded.images.begin() + 64),
            std::vector<uint8_t>(again.images.begin() + 64, again.images.end()));
}

TEST(LoadBatch, SaysWhichExampleCannotBeRead) {
  GeneratedOptions options;
  options.unreadable = 5;
  Loaded loaded;
  EXPECT_TRUE(Load(GeneratedDataset(options), {4, 6}, &loaded).ok());
  EXPECT_EQ(Load(GeneratedDataset(options), {4, 5}, &loaded),
            absl::NotFoundError("example 5: the file is gone"));
}

TEST(LoadBatch, ALabelOfNoClassIsRefused) {
  ExampleArrays arrays;
  arrays.image_size = {1, 1, 1};
  arrays.classes = 2;
  arrays.pixels = {0, 0};
  arrays.labels = {1, 2};
  Loaded loaded;
  EXPECT_EQ(Load(MemoryDataset(arrays), {0, 1}, &loaded),
            absl::DataLossError("example 1 has the label 2; the data set has 2 classes"));
}

}  // namespace
}  // namespace conadv
