// SPDX-License-Identifier: Apache-2.0
#include "worker/data/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/os/file.h"
#include "tests/support/idx_files.h"
#include "tests/support/temp_dir.h"
#include "tests/worker/data/images.h"
#include "tests/worker/data/tar_files.h"
#include "worker/data/idx.h"
#include "worker/data/memory_dataset.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

DatasetOptions At(const std::string& path) {
  DatasetOptions options;
  options.path = path;
  return options;
}

MemoryDataset Shaped(const ImageSize& size, uint32_t classes) {
  ExampleArrays arrays;
  arrays.image_size = size;
  arrays.classes = classes;
  arrays.pixels.resize(size.bytes());
  arrays.labels = {0};
  return MemoryDataset(std::move(arrays));
}

TEST(OpenDataset, ReadsTheJobsFormat) {
  const TempDir directory;
  ASSERT_TRUE(WriteSyntheticIdx(directory.path(), SyntheticOptions()).ok());
  const auto opened = OpenDataset(At(directory.path()), Split::kTrain, 9);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const Dataset& dataset = **opened;
  const ExampleArrays read = *ReadIdx(directory.path(), Split::kTrain, 9);
  EXPECT_EQ(dataset.examples(), 9U);
  EXPECT_EQ(dataset.classes(), 4U);
  EXPECT_EQ(dataset.image_size(), (ImageSize{1, 16, 16}));
  EXPECT_EQ(dataset.Fingerprint(), FingerprintOf(read));
  std::vector<uint8_t> image(256);
  EXPECT_EQ(*dataset.Load(8, absl::MakeSpan(image)), read.labels[8]);
  EXPECT_EQ(image, std::vector<uint8_t>(read.pixels.begin() + 8 * 256, read.pixels.end()));
}

TEST(OpenDataset, FoldersAndShardsOfTheSameImagesAreTheSame) {
  const TempDir folders, shards;
  std::string bytes;
  for (int i = 0; i < 6; ++i) {
    const std::string label = absl::StrCat(i % 2), png = Png(Checked(4 + i, 4, 3));
    WriteFile(folders / absl::StrCat("train/", label, "/", i, ".png"), png);
    absl::StrAppend(&bytes, TarMemberBytes(absl::StrCat(i, ".png"), png),
                    TarMemberBytes(absl::StrCat(i, ".cls"), label));
  }
  WriteFile(shards / "train-0.tar", bytes + TarEnd());
  WriteFile(shards / "classes.txt", "even\nodd\n");
  DatasetOptions options = At(folders.path());
  options.format = DatasetFormat::kFolder;
  options.height = options.width = 4;
  options.channels = 3;
  const auto folder = OpenDataset(options, Split::kTrain, 0);
  ASSERT_TRUE(folder.ok()) << folder.status();
  options.path = shards.path();
  options.format = DatasetFormat::kTar;
  options.cache_bytes = 1000;
  const auto tar = OpenDataset(options, Split::kTrain, 0);
  ASSERT_TRUE(tar.ok()) << tar.status();
  EXPECT_EQ((*folder)->class_names(), (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ((*tar)->class_names(), (std::vector<std::string>{"even", "odd"}));
  for (uint64_t i = 0; i < 6; ++i) {
    std::vector<uint8_t> of_folder(48), of_tar(48);
    EXPECT_EQ(*(*folder)->Load(i, absl::MakeSpan(of_folder)), i % 2);
    EXPECT_EQ(*(*tar)->Load(i, absl::MakeSpan(of_tar)), i % 2);
    EXPECT_EQ(of_folder, of_tar);
  }
}

TEST(CheckSplits, NamesWhatDoesNotFit) {
  const MemoryDataset train = Shaped({1, 4, 4}, 3);
  EXPECT_TRUE(CheckSplits(train, Shaped({1, 4, 4}, 2), At("dir")).ok());
  EXPECT_EQ(CheckSplits(train, Shaped({1, 4, 5}, 3), At("dir")),
            absl::InvalidArgumentError("data set in dir: the test split's images are 1x4x5, the "
                                       "training split's 1x4x4"));
  EXPECT_EQ(CheckSplits(train, Shaped({1, 4, 4}, 5), At("dir")),
            absl::InvalidArgumentError(
                "data set in dir: the test split has 5 classes, the training split 3"));
}

TEST(CheckDataset, TellsOfWhatIsWrongWithEitherSplit) {
  const TempDir directory;
  const DatasetOptions options = At(directory.path());
  ASSERT_TRUE(WriteSyntheticIdx(directory.path(), SyntheticOptions()).ok());
  EXPECT_EQ(*CheckDataset(options), "1x16x16 images, 4 classes");
  const std::string path = directory / "t10k-images-idx3-ubyte";
  const std::string whole = ReadFile(path);
  WriteFile(path, absl::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_THAT(std::string(CheckDataset(options).status().message()), HasSubstr(path));
  ASSERT_TRUE(FileSystem::Real().Remove(path).ok());
  EXPECT_EQ(CheckDataset(options).status().code(), absl::StatusCode::kNotFound);
}

TEST(CheckDataset, ADamagedFirstImageIsBorneIfTheJobBearsIt) {
  const TempDir directory;
  for (const char* const split : {"train", "test"}) {
    WriteFile(directory / absl::StrCat(split, "/ant/1.png"), "rubbish");
    WriteFile(directory / absl::StrCat(split, "/ant/2.png"), Png(Checked(2, 2, 3)));
  }
  DatasetOptions options = At(directory.path());
  options.format = DatasetFormat::kFolder;
  const absl::Status status = CheckDataset(options).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("train/ant/1.png: it is neither"));
  options.max_corrupt = 1;
  EXPECT_EQ(*CheckDataset(options), "3x2x2 images, 1 class: ant");
}

}  // namespace
}  // namespace conadv
