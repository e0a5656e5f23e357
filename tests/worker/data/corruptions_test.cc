// SPDX-License-Identifier: Apache-2.0
#include "worker/data/corruption/corruptions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/little_endian.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

// As numpy.save writes it.
std::string Npy(const std::string& type, const std::string& shape, const std::string& values,
                const std::string& fortran = "False") {
  const std::string header = absl::StrCat("{'descr': '", type, "', 'fortran_order': ", fortran,
                                          ", 'shape': (", shape, "), }\n");
  return absl::StrCat(std::string("\x93NUMPY\x01\x00", 8), LittleEndian(header.size(), 2), header,
                      values);
}

// Two images [2, 1, 3] at each of five severities; pixel p of channel c of image i is 10 i + 3 p +
// c.
std::string Pixels() {
  std::string pixels;
  for (int image = 0; image < 10; ++image) {
    for (int value = 0; value < 6; ++value) pixels += static_cast<char>(10 * image + value);
  }
  return pixels;
}

class CorruptionsTest : public testing::Test {
 protected:
  CorruptionsTest() {
    WriteFile(directory_ / "labels.npy",
              Npy("|u1", "10,", std::string("\0\1\0\1\0\1\0\1\0\1", 10)));
    WriteFile(directory_ / "fog.npy", Npy("|u1", "10, 2, 1, 3", Pixels()));
    WriteFile(directory_ / "README.md", "not read");
  }
  absl::StatusOr<std::vector<Corruption>> Open(size_t most = 4) {
    return OpenCorruptions(directory_.path(), {3, 2, 1}, 2, most);
  }
  std::string Refusal() {
    const absl::Status status = Open().status();
    EXPECT_TRUE(absl::IsInvalidArgument(status) || absl::IsNotFound(status)) << status;
    return std::string(status.message());
  }

  const TempDir directory_;
};

TEST_F(CorruptionsTest, ImagesComeChannelByChannelWithTheirLabels) {
  WriteFile(directory_ / "blur.npy", Npy("|u1", "10, 2, 1, 3", Pixels()));
  const std::vector<Corruption> corruptions = Open().value();
  ASSERT_EQ(corruptions.size(), 2U);
  EXPECT_EQ(corruptions[0].name, "blur");
  EXPECT_EQ(corruptions[1].name, "fog");
  const Dataset& fog = *corruptions[1].examples;
  EXPECT_EQ(fog.examples(), 10U);
  std::vector<uint8_t> image(6);
  EXPECT_EQ(fog.Load(3, absl::MakeSpan(image)).value(), 1);
  EXPECT_THAT(image, ElementsAre(30, 33, 31, 34, 32, 35));
}

TEST_F(CorruptionsTest, LabelsMayBeWiderIntegers) {
  std::string labels;
  for (int i = 0; i < 10; ++i) labels += LittleEndian(static_cast<uint64_t>(i % 2));
  WriteFile(directory_ / "labels.npy", Npy("<i8", "10,", labels));
  std::vector<uint8_t> image(6);
  EXPECT_EQ(Open().value()[0].examples->Load(9, absl::MakeSpan(image)).value(), 1);
}

TEST_F(CorruptionsTest, WhatIsWrongIsSaidWithTheFileItIsIn) {
  const std::string path = directory_ / "fog.npy";
  WriteFile(path, Npy("|u1", "10, 2, 1, 3", Pixels().substr(1)));
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(path), HasSubstr("truncated"), HasSubstr("59 do")));
  WriteFile(path, Npy("|u1", "10, 2, 1, 3", Pixels(), "True"));
  EXPECT_THAT(Refusal(), AllOf(HasSubstr(path), HasSubstr("Fortran's order")));
  WriteFile(path, Npy("|u1", "10, 3, 1, 2", Pixels()));
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("[10, 3, 1, 2]"), HasSubstr("uint8 [10, 2, 1, 3]")));
  WriteFile(path, Npy("<f4", "10, 2, 1, 3", Pixels()));
  EXPECT_THAT(Refusal(), HasSubstr("values of type '<f4'"));
  WriteFile(path, "PK");
  EXPECT_THAT(Refusal(), HasSubstr("is no .npy file"));
  WriteFile(path, Npy("|u1", "10, 2, 1, 3", Pixels()));
  WriteFile(directory_ / "labels.npy", Npy("|u1", "10,", std::string(10, '\2')));
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("label 0 is 2"), HasSubstr("2 classes")));
  WriteFile(directory_ / "labels.npy", Npy("|u1", "9,", std::string(9, '\0')));
  EXPECT_THAT(Refusal(), HasSubstr("no multiple of 5"));
}

TEST_F(CorruptionsTest, WhatIsMissingIsSaidWithWhatThereShouldBe) {
  EXPECT_THAT(
      std::string(OpenCorruptions(directory_ / "nowhere", {3, 2, 1}, 2, 4).status().message()),
      HasSubstr(directory_ / "nowhere"));
  const TempDir empty;
  WriteFile(empty / "fog.npy", Npy("|u1", "10, 2, 1, 3", Pixels()));
  EXPECT_THAT(std::string(OpenCorruptions(empty.path(), {3, 2, 1}, 2, 4).status().message()),
              HasSubstr("has no labels.npy"));
  EXPECT_THAT(std::string(Open(0).status().message()), HasSubstr("has 1 corruptions"));
  WriteFile(directory_ / (std::string(65, 'a') + ".npy"), "");
  EXPECT_THAT(Refusal(), HasSubstr("at most 64 bytes"));
}

}  // namespace
}  // namespace conadv
