// SPDX-License-Identifier: Apache-2.0
#include "worker/data/open.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "common/os/file.h"
#include "tests/support/idx_files.h"
#include "tests/support/temp_dir.h"
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
  EXPECT_TRUE(CheckDataset(options).ok());
  const std::string path = directory / "t10k-images-idx3-ubyte";
  const std::string whole = ReadFile(path);
  WriteFile(path, absl::string_view(whole).substr(0, whole.size() - 1));
  EXPECT_THAT(std::string(CheckDataset(options).message()), HasSubstr(path));
  ASSERT_TRUE(FileSystem::Real().Remove(path).ok());
  EXPECT_EQ(CheckDataset(options).code(), absl::StatusCode::kNotFound);
}

}  // namespace
}  // namespace conadv
