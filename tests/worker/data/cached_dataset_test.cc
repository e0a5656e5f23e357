// SPDX-License-Identifier: Apache-2.0
#include "worker/data/cached_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/generated_dataset.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

constexpr uint64_t kOne = 64 + 96;  // an image of GeneratedDataset, and what keeping it takes

// Counts what is asked of it.
class CountingDataset final : public Dataset {
 public:
  explicit CountingDataset(std::atomic<int>* loads) : loads_(loads), images_(Options()) {}

  uint64_t examples() const override { return images_.examples(); }
  uint32_t classes() const override { return images_.classes(); }
  std::vector<std::string> class_names() const override { return {"a"}; }
  ImageSize image_size() const override { return images_.image_size(); }
  uint64_t Fingerprint() const override { return images_.Fingerprint(); }
  absl::StatusOr<int64_t> Load(uint64_t index, absl::Span<uint8_t> image) const override {
    ++*loads_;
    return images_.Load(index, image);
  }

  static GeneratedOptions Options() {
    GeneratedOptions options;
    options.unreadable = 99;
    return options;
  }

 private:
  std::atomic<int>* const loads_;
  const GeneratedDataset images_;
};

class CachedDatasetTest : public testing::Test {
 protected:
  CachedDataset Cached(uint64_t limit) {
    return CachedDataset(std::make_unique<CountingDataset>(&loads_), limit);
  }

  // Whether it is what the data set itself has.
  static void ExpectRight(const Dataset& dataset, uint64_t index) {
    std::vector<uint8_t> image(64), wanted(64);
    const auto label = dataset.Load(index, absl::MakeSpan(image));
    ASSERT_TRUE(label.ok()) << label.status();
    EXPECT_EQ(*label, *GeneratedDataset(GeneratedOptions()).Load(index, absl::MakeSpan(wanted)));
    EXPECT_EQ(image, wanted);
  }

  std::atomic<int> loads_{0};
};

TEST_F(CachedDatasetTest, LoadsOnceWhatItKeeps) {
  const CachedDataset dataset = Cached(uint64_t{1} << 20);
  for (int epoch = 0; epoch < 3; ++epoch) {
    for (uint64_t index = 0; index < 10; ++index) ExpectRight(dataset, index);
  }
  EXPECT_EQ(loads_, 10);
  EXPECT_EQ(dataset.bytes(), 10 * kOne);
}

TEST_F(CachedDatasetTest, KeepsTheFirstUpToItsLimit) {
  const CachedDataset dataset = Cached(3 * kOne - 1);
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (uint64_t index = 0; index < 5; ++index) ExpectRight(dataset, index);
  }
  EXPECT_EQ(dataset.bytes(), 2 * kOne);
  EXPECT_EQ(loads_, 5 + 3);
}

TEST_F(CachedDatasetTest, AnErrorIsNotKept) {
  const CachedDataset dataset = Cached(uint64_t{1} << 20);
  std::vector<uint8_t> image(64);
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(dataset.Load(99, absl::MakeSpan(image)).status(),
              absl::NotFoundError("example 99: the file is gone"));
  }
  EXPECT_EQ(loads_, 2);
  EXPECT_EQ(dataset.bytes(), 0);
}

TEST_F(CachedDatasetTest, IsTheDataSetItKeeps) {
  const CachedDataset dataset = Cached(1);
  const GeneratedDataset same{GeneratedOptions()};
  EXPECT_EQ(dataset.examples(), same.examples());
  EXPECT_EQ(dataset.classes(), same.classes());
  EXPECT_EQ(dataset.image_size(), same.image_size());
  EXPECT_EQ(dataset.Fingerprint(), same.Fingerprint());
  EXPECT_THAT(dataset.class_names(), ElementsAre("a"));
}

TEST_F(CachedDatasetTest, ThreadsKeepOneOfEach) {
  const CachedDataset dataset = Cached(20 * kOne);
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&dataset] {
      for (uint64_t index = 0; index < 40; ++index) ExpectRight(dataset, index);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(dataset.bytes(), 20 * kOne);
}

}  // namespace
}  // namespace conadv
