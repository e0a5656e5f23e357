// SPDX-License-Identifier: Apache-2.0
#include "worker/data/cifar.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr size_t kPixels = size_t{3} * 32 * 32;

// One image, all of whose bytes are `value`.
std::string Record(const std::string& labels, char value) {
  return labels + std::string(kPixels, value);
}

std::string CifarError(const std::string& bytes, Cifar kind = Cifar::k10) {
  const absl::Status status = DecodeCifar({{"dir/f.bin", bytes}}, kind, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(status.message()), HasSubstr("dir/f.bin: "));
  return std::string(status.message());
}

TEST(Cifar, RecordsOfAllFilesFollowEachOther) {
  const auto arrays = DecodeCifar(
      {{"a", Record("\x03", 'x') + Record("\x09", 'y')}, {"b", Record(std::string(1, '\0'), 'z')}},
      Cifar::k10, 0);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ(arrays->classes, 10U);
  EXPECT_THAT(arrays->labels, ElementsAre(3, 9, 0));
  EXPECT_EQ(arrays->pixels.size(), 3 * kPixels);
  EXPECT_EQ(arrays->pixels[kPixels], 'y');
  EXPECT_EQ(arrays->pixels[3 * kPixels - 1], 'z');
}

TEST(Cifar, OfAHundredClassesTheFineLabelCounts) {
  const auto arrays = DecodeCifar({{"a", Record("\x13\x63", 'x')}}, Cifar::k100, 0);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_EQ(arrays->classes, 100U);
  EXPECT_THAT(arrays->labels, ElementsAre(99));
}

TEST(Cifar, ALimitTakesTheFirstAndDoesNotChangeTheClasses) {
  const auto arrays =
      DecodeCifar({{"a", Record("\x03", 'x') + Record("\x09", 'y')}}, Cifar::k10, 1);
  ASSERT_TRUE(arrays.ok()) << arrays.status();
  EXPECT_THAT(arrays->labels, ElementsAre(3));
  EXPECT_EQ(arrays->classes, 10U);
}

TEST(Cifar, WhatIsNotTheFormatIsRefusedInWords) {
  EXPECT_THAT(CifarError(""), HasSubstr("0 bytes are not whole records of 3073"));
  EXPECT_THAT(CifarError(Record("\x01", 'x') + "x"), HasSubstr("binary version of CIFAR-10"));
  EXPECT_THAT(CifarError(Record("\x01", 'x'), Cifar::k100), HasSubstr("records of 3074"));
  EXPECT_THAT(CifarError(Record("\x01", 'x') + Record("\x0a", 'x')),
              AllOf(HasSubstr("record 1"), HasSubstr("label 10 of 10")));
}

TEST(Cifar, OpensTheSplitsFilesAndNamesTheOneThatIsMissing) {
  const TempDir directory;
  WriteFile(directory / "test_batch.bin", Record("\x01", 'x'));
  EXPECT_TRUE(OpenCifar(directory.path(), Cifar::k10, Split::kTest, 0).ok());
  const absl::Status status = OpenCifar(directory.path(), Cifar::k10, Split::kTrain, 0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("data_batch_1.bin"));
  for (int i = 1; i <= 5; ++i) {
    WriteFile(directory / absl::StrCat("data_batch_", i, ".bin"),
              Record(std::string(1, static_cast<char>(i)), 'x'));
  }
  const auto train = OpenCifar(directory.path(), Cifar::k10, Split::kTrain, 0);
  ASSERT_TRUE(train.ok()) << train.status();
  EXPECT_EQ((*train)->examples(), 5U);
  std::vector<uint8_t> image(kPixels);
  EXPECT_EQ((*train)->Load(4, absl::MakeSpan(image)).value(), 5);
}

TEST(Cifar, ClassesAreCalledWhatTheFileBesideThemSays) {
  const TempDir directory;
  WriteFile(directory / "test_batch.bin", Record("\x01", 'x'));
  const auto names = [&directory] {
    return (*OpenCifar(directory.path(), Cifar::k10, Split::kTest, 0))->class_names();
  };
  EXPECT_THAT(names(), ElementsAre());
  WriteFile(directory / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_THAT(names(), ElementsAre("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"));
  WriteFile(directory / "batches.meta.txt", "a\nb\n");
  EXPECT_THAT(names(), ElementsAre());
}

}  // namespace
}  // namespace conadv
