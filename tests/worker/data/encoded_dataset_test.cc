// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/encoded_dataset.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/worker/data/images.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Image i is called "image i" and has the label i; "" cannot be decoded, "gone" cannot be read.
class StoredImages final : public EncodedExamples {
 public:
  explicit StoredImages(std::vector<std::string> images) : images_(std::move(images)) {}

  uint64_t examples() const override { return images_.size(); }
  uint32_t classes() const override { return static_cast<uint32_t>(images_.size()); }
  const std::vector<std::string>& class_names() const override { return names_; }
  uint32_t Fingerprint() const override { return 7; }
  std::string Name(uint64_t index) const override { return absl::StrCat("image ", index); }
  int64_t Label(uint64_t index) const override { return static_cast<int64_t>(index); }
  absl::StatusOr<std::string> Read(uint64_t index) const override {
    if (images_[index] == "gone") return absl::NotFoundError(Name(index) + " is gone");
    return images_[index];
  }

 private:
  const std::vector<std::string> images_;
  const std::vector<std::string> names_;
};

// A grey image of one pixel.
std::string Dot(uint8_t value) { return Png(Flat(1, 1, {value})); }

ImageOptions Grey(uint64_t max_corrupt = 0) {
  ImageOptions options;
  options.channels = 1;
  options.max_corrupt = max_corrupt;
  return options;
}

absl::StatusOr<std::unique_ptr<EncodedDataset>> Create(const std::vector<std::string>& images,
                                                       const ImageOptions& options) {
  return EncodedDataset::Create(std::make_unique<StoredImages>(images), options);
}

std::unique_ptr<EncodedDataset> Make(const std::vector<std::string>& images,
                                     const ImageOptions& options) {
  auto dataset = Create(images, options);
  EXPECT_TRUE(dataset.ok()) << dataset.status();
  return *std::move(dataset);
}

// The first pixel and the label.
using LoadedExample = std::pair<int, int64_t>;
absl::StatusOr<LoadedExample> Load(const Dataset& dataset, uint64_t index) {
  std::vector<uint8_t> image(dataset.image_size().bytes());
  const absl::StatusOr<int64_t> label = dataset.Load(index, absl::MakeSpan(image));
  if (!label.ok()) return label.status();
  return LoadedExample(image[0], *label);
}

TEST(EncodedDataset, ImagesHaveTheSizeOfTheFirstUnlessTheJobSaysAnother) {
  const std::vector<std::string> images = {Png(Flat(2, 4, {1, 2, 3})), Png(Flat(4, 2, {4, 5, 6}))};
  ImageOptions options;
  const auto as_stored = Make(images, options);
  EXPECT_EQ(as_stored->image_size(), (ImageSize{3, 2, 4}));
  EXPECT_EQ(*Load(*as_stored, 0), LoadedExample(1, 0));
  EXPECT_EQ(Load(*as_stored, 1).status(),
            absl::InvalidArgumentError("image 1 has 4 x 2 pixels, and image 0 2 x 4; set "
                                       "dataset.height and dataset.width, to which every image is "
                                       "then scaled"));
  options.height = 3;
  options.width = 5;
  const auto scaled = Make(images, options);
  EXPECT_EQ(scaled->image_size(), (ImageSize{3, 3, 5}));
  std::vector<uint8_t> image(45);
  EXPECT_EQ(*scaled->Load(1, absl::MakeSpan(image)), 1);
  EXPECT_THAT((std::vector<uint8_t>{image[0], image[15], image[44]}), ElementsAre(4, 5, 6));
}

TEST(EncodedDataset, TheNextImageTakesTheDamagedOnesPlaceWithItsLabel) {
  const auto dataset = Make({Dot(10), "", "", Dot(13), ""}, Grey(3));
  EXPECT_EQ(*Load(*dataset, 0), LoadedExample(10, 0));
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(*Load(*dataset, 1), LoadedExample(13, 3));
    EXPECT_EQ(*Load(*dataset, 2), LoadedExample(13, 3));
    EXPECT_EQ(*Load(*dataset, 4), LoadedExample(10, 0)) << "after the last comes the first";
  }
}

// Whatever a worker has seen before.
TEST(EncodedDataset, TheSubstituteDoesNotDependOnTheOrder) {
  const std::vector<std::string> images = {"", "", Dot(12), ""};
  for (const uint64_t first : {0, 1, 2, 3}) {
    const auto dataset = Make(images, Grey(9));
    ASSERT_TRUE(Load(*dataset, first).ok());
    for (const uint64_t index : {0, 1, 2, 3})
      EXPECT_EQ(*Load(*dataset, index), LoadedExample(12, 2));
  }
}

TEST(EncodedDataset, MoreDamageThanTheJobAllowsNamesTheLastAndTheOption) {
  const auto dataset = Make({Dot(10), "", Dot(12), "rubbish"}, Grey(1));
  EXPECT_EQ(*Load(*dataset, 1), LoadedExample(12, 2));
  for (const uint64_t index : {3, 3, 1}) {
    EXPECT_EQ(Load(*dataset, index).status(),
              absl::DataLossError("image 3: it is neither a JPEG nor a PNG file (damaged images: "
                                  "2, dataset.max_corrupt is 1; repair or remove it, or set that "
                                  "higher to go on without it)"));
  }
  EXPECT_EQ(*Load(*dataset, 0), LoadedExample(10, 0));
  EXPECT_EQ(Create({"", Dot(1)}, Grey()).status().code(), absl::StatusCode::kDataLoss);
}

TEST(EncodedDataset, WithoutOneSoundImageThereIsNone) {
  EXPECT_THAT(std::string(Create({"", ""}, Grey(9)).status().message()),
              AllOf(HasSubstr("not one of 2 images can be decoded"), HasSubstr("image 0")));
}

// Another worker may be able to read it, and would have other bits.
TEST(EncodedDataset, WhatCannotBeReadHasNoSubstitute) {
  const auto dataset = Make({Dot(1), "gone"}, Grey(9));
  EXPECT_EQ(Load(*dataset, 1).status(), absl::NotFoundError("image 1 is gone"));
}

TEST(EncodedDataset, TheFingerprintIsOfTheExamplesAndOfWhatChangesPixels) {
  const std::vector<std::string> images = {Dot(1), Dot(2)};
  const uint64_t fingerprint = Make(images, Grey())->Fingerprint();
  EXPECT_EQ(Make(images, Grey(5))->Fingerprint(), fingerprint);
  EXPECT_NE(Make({Dot(1)}, Grey())->Fingerprint(), fingerprint);
  ImageOptions options = Grey();
  options.channels = 3;
  EXPECT_NE(Make(images, options)->Fingerprint(), fingerprint);
  options = Grey();
  options.height = 2;
  options.width = 1;
  EXPECT_NE(Make(images, options)->Fingerprint(), fingerprint);
}

TEST(EncodedDataset, ThreadsLoadTheSame) {
  std::vector<std::string> images;
  for (int i = 0; i < 32; ++i) {
    images.push_back(i % 5 == 3 ? "" : Png(Flat(9, 7, {static_cast<uint8_t>(i), 0, 0})));
  }
  ImageOptions options;
  options.height = options.width = 4;
  options.max_corrupt = 32;
  const auto dataset = Make(images, options);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (uint64_t start = 0; start < 4; ++start) {
    threads.emplace_back([&, start] {
      for (uint64_t i = 0; i < 32; ++i) {
        const uint64_t index = (i + 8 * start) % 32;
        const int at = static_cast<int>(index % 5 == 3 ? (index + 1) % 32 : index);
        const auto loaded = Load(*dataset, index);
        if (!loaded.ok() || *loaded != LoadedExample(at, at)) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace conadv
