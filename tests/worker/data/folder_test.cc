// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/folder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

void Write(const TempDir& root, const std::vector<std::string>& names) {
  for (const std::string& name : names) WriteFile(root / name, name);
}

std::unique_ptr<EncodedExamples> Opened(const TempDir& root, Split split, uint64_t limit = 0) {
  auto opened = OpenFolder(root.path(), split, limit);
  EXPECT_TRUE(opened.ok()) << opened.status();
  return opened.ok() ? *std::move(opened) : nullptr;
}

// Paths below the root, which is what the files hold.
std::vector<std::string> Order(const EncodedExamples& examples) {
  std::vector<std::string> order;
  for (uint64_t i = 0; i < examples.examples(); ++i) {
    order.push_back(*examples.Read(i));
    EXPECT_TRUE(absl::EndsWith(examples.Name(i), order.back()));
  }
  return order;
}

std::string FolderError(const TempDir& root, Split split = Split::kTrain,
                        absl::StatusCode code = absl::StatusCode::kInvalidArgument) {
  const absl::Status status = OpenFolder(root.path(), split, 0).status();
  EXPECT_EQ(status.code(), code) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(root.path()));
  return std::string(status.message());
}

TEST(Folder, ClassesAreTrainsFoldersAndTheFirstExamplesAreOfAll) {
  const TempDir root;
  Write(root, {"train/cat/2.jpg", "train/cat/1.PNG", "train/bird/deep/er/7.jpeg",
               "train/cat/10.jpg", "train/cat/notes.txt", "train/readme.md", "test/cat/5.jpg"});
  const auto train = Opened(root, Split::kTrain);
  EXPECT_EQ(train->classes(), 2);
  EXPECT_THAT(train->class_names(), ElementsAre("bird", "cat"));
  EXPECT_THAT(Order(*train), ElementsAre("train/bird/deep/er/7.jpeg", "train/cat/1.PNG",
                                         "train/cat/10.jpg", "train/cat/2.jpg"));
  EXPECT_EQ(train->Label(0), 0);
  EXPECT_EQ(train->Label(3), 1);
  EXPECT_THAT(Order(*Opened(root, Split::kTrain, 2)),
              ElementsAre("train/bird/deep/er/7.jpeg", "train/cat/1.PNG"));
  const auto test = Opened(root, Split::kTest);
  EXPECT_EQ(test->classes(), 2);
  EXPECT_EQ(test->Label(0), 1);
}

TEST(Folder, HasMoreClassesThanAByteCounts) {
  const TempDir root;
  for (int i = 0; i < 300; ++i) Write(root, {"train/" + std::to_string(1000 + i) + "/a.jpg"});
  const auto train = Opened(root, Split::kTrain);
  EXPECT_EQ(train->classes(), 300);
  EXPECT_EQ(train->Label(299), 299);
}

TEST(Folder, LinksAreFollowed) {
  const TempDir root;
  Write(root, {"elsewhere/a.jpg", "train/dog/b.jpg"});
  std::filesystem::create_directory_symlink(root / "elsewhere", root / "train/cat");
  EXPECT_EQ(Opened(root, Split::kTrain)->examples(), 2);
  std::filesystem::create_directory_symlink(root / "train/dog", root / "train/dog/again");
  EXPECT_THAT(FolderError(root), HasSubstr("is a link among them a loop?"));
}

TEST(Folder, TheFingerprintIsOfNamesAndSizes) {
  const TempDir a, b;
  for (const TempDir* root : {&a, &b}) Write(*root, {"train/x/1.jpg", "train/y/2.jpg"});
  const auto fingerprint = [](const TempDir& root) {
    return Opened(root, Split::kTrain)->Fingerprint();
  };
  EXPECT_EQ(fingerprint(a), fingerprint(b));
  WriteFile(b / "train/y/2.jpg", "another size");
  EXPECT_NE(fingerprint(a), fingerprint(b));
  WriteFile(b / "train/y/2.jpg", "train/y/2.jpg");
  EXPECT_EQ(fingerprint(a), fingerprint(b));
  std::filesystem::rename(b / "train/y", b / "train/z");
  EXPECT_NE(fingerprint(a), fingerprint(b));
}

TEST(Folder, SaysWhichFoldersThereShouldBe) {
  const TempDir root;
  EXPECT_THAT(FolderError(root, Split::kTrain, absl::StatusCode::kNotFound),
              AllOf(HasSubstr("there is no "), HasSubstr("train/CLASS/")));
  Write(root, {"train/readme.md"});
  EXPECT_THAT(FolderError(root), HasSubstr("there is no folder in it"));
  Write(root, {"train/cat/a.jpg"});
  EXPECT_THAT(FolderError(root, Split::kTest, absl::StatusCode::kNotFound),
              HasSubstr("there is neither "));
  Write(root, {"val/cat/a.jpg"});
  EXPECT_EQ(Opened(root, Split::kTest)->examples(), 1);
  Write(root, {"test/cat/a.jpg"});
  EXPECT_THAT(FolderError(root, Split::kTest), HasSubstr("both test/ and val/"));
}

TEST(Folder, RefusesInWordsWhatIsNoDataSet) {
  const TempDir root;
  Write(root, {"train/cat/a.jpg", "train/dog/notes.txt", "test/cat/notes.txt"});
  EXPECT_THAT(FolderError(root), AllOf(HasSubstr("train/dog: "), HasSubstr("no JPEG or PNG file")));
  EXPECT_THAT(FolderError(root, Split::kTest), HasSubstr("no JPEG or PNG file is in the folders"));
  Write(root, {"test/fox/a.jpg"});
  EXPECT_THAT(FolderError(root, Split::kTest),
              AllOf(HasSubstr("test/fox: "), HasSubstr("classes are train's")));
  Write(root, {"train/dog/a.webp"});
  EXPECT_THAT(FolderError(root), AllOf(HasSubstr("dog/a.webp: "), HasSubstr("convert it")));
}

TEST(Folder, AFileThatHasGoneIsNamed) {
  const TempDir root;
  Write(root, {"train/cat/a.jpg"});
  const auto train = Opened(root, Split::kTrain);
  std::filesystem::remove(root / "train/cat/a.jpg");
  const absl::Status status = train->Read(0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr("train/cat/a.jpg"));
}

TEST(RoundTheClasses, IsAPermutationThatTakesFromEachInTurn) {
  std::vector<std::pair<uint32_t, uint64_t>> order;
  for (const FileOfClass& at : RoundTheClasses({2, 0, 3}, 0)) order.push_back({at.label, at.file});
  using P = std::pair<uint32_t, uint64_t>;
  EXPECT_THAT(order, ElementsAre(P(0, 0), P(2, 0), P(0, 1), P(2, 1), P(2, 2)));
  EXPECT_EQ(RoundTheClasses({2, 0, 3}, 3).size(), 3);
  EXPECT_EQ(RoundTheClasses({}, 3).size(), 0);
}

}  // namespace
}  // namespace conadv
