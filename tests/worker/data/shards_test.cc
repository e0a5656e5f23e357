// SPDX-License-Identifier: Apache-2.0
#include "worker/data/encoded/shards.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/support/temp_dir.h"
#include "tests/worker/data/tar_files.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

using MemberFiles = std::vector<std::pair<std::string, std::string>>;

void WriteShard(const std::string& path, const MemberFiles& files) {
  std::string bytes;
  for (const auto& [name, text] : files) absl::StrAppend(&bytes, TarMemberBytes(name, text));
  WriteFile(path, bytes + TarEnd());
}

absl::StatusOr<std::unique_ptr<EncodedExamples>> Open(const TempDir& root,
                                                      Split split = Split::kTrain,
                                                      uint64_t limit = 0,
                                                      const std::vector<std::string>& names = {}) {
  return OpenShards(root.path(), split, limit, names);
}

// Of one shard.
std::string ShardError(const MemberFiles& files, const std::vector<std::string>& names = {}) {
  const TempDir root;
  WriteShard(root / "train-0.tar", files);
  const absl::Status status = Open(root, Split::kTrain, 0, names).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr(root.path()));
  return std::string(status.message());
}

TEST(Shards, HoldImagesAndClassesByKeyOneShardAfterTheOther) {
  const TempDir root;
  WriteShard(root / "train-001.tar", {{"x.cls", "0"}, {"x.png", "third"}});
  WriteShard(root / "train-000.tar", {{"x.jpg", "first"},
                                      {"x.cls", " 2\n"},
                                      {"x.json", "{}"},
                                      {"dir.d/y.JPG", "second"},
                                      {"dir.d/y.cls", "1"}});
  const auto opened = Open(root);
  ASSERT_TRUE(opened.ok()) << opened.status();
  const EncodedExamples& train = **opened;
  ASSERT_EQ(train.examples(), 3);
  EXPECT_EQ(train.classes(), 3);
  std::vector<std::string> images;
  std::vector<int64_t> labels;
  for (uint64_t i = 0; i < 3; ++i) {
    images.push_back(*train.Read(i));
    labels.push_back(train.Label(i));
  }
  EXPECT_THAT(images, ElementsAre("first", "second", "third"));
  EXPECT_THAT(labels, ElementsAre(2, 1, 0));
  EXPECT_EQ(train.Name(1), root / "train-000.tar: dir.d/y");
  EXPECT_EQ((*Open(root, Split::kTrain, 1))->examples(), 1);
  EXPECT_EQ((*Open(root, Split::kTrain, 1))->classes(), 3);
}

TEST(Shards, NamesOfClassesSayHowManyThereAre) {
  const TempDir root;
  WriteShard(root / "train-0.tar", {{"x.jpg", "1"}, {"x.cls", "1"}});
  WriteShard(root / "val-0.tar", {{"x.jpg", "1"}, {"x.cls", "2"}});
  const std::vector<std::string> names = {"ant", "bee", "cat"};
  EXPECT_EQ((*Open(root, Split::kTrain, 0, names))->classes(), 3);
  EXPECT_EQ((*Open(root, Split::kTest, 0, names))->class_names(), names);
  EXPECT_EQ((*Open(root, Split::kTest))->classes(), 3);
}

TEST(Shards, TheFingerprintIsOfKeysSizesAndClasses) {
  const auto fingerprint = [](const MemberFiles& files) {
    const TempDir root;
    WriteShard(root / "train-0.tar", files);
    const auto opened = Open(root, Split::kTrain, 0, {"a", "b"});
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? (*opened)->Fingerprint() : 0;
  };
  const uint32_t one = fingerprint({{"x.jpg", "12"}, {"x.cls", "1"}});
  EXPECT_EQ(fingerprint({{"x.cls", "1"}, {"x.jpg", "12"}, {"x.txt", "t"}}), one);
  EXPECT_NE(fingerprint({{"x.jpg", "12"}, {"x.cls", "0"}}), one);
  EXPECT_NE(fingerprint({{"x.jpg", "123"}, {"x.cls", "1"}}), one);
  EXPECT_NE(fingerprint({{"y.jpg", "12"}, {"y.cls", "1"}}), one);
}

TEST(Shards, SayWhichShardsThereShouldBe) {
  const TempDir root;
  const auto error = [&root](Split split) {
    return std::string(Open(root, split).status().message());
  };
  EXPECT_EQ(Open(root).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(error(Split::kTrain), HasSubstr("there is no train-*.tar in " + root.path()));
  EXPECT_THAT(error(Split::kTest), HasSubstr("there is no test-*.tar or val-*.tar"));
  for (const char* const name : {"test-0.tar", "val-0.tar"}) {
    WriteShard(root / name, {{"x.jpg", "1"}, {"x.cls", "0"}});
  }
  EXPECT_THAT(error(Split::kTest), HasSubstr("both test-*.tar and val-*.tar"));
}

TEST(Shards, RefuseInWordsWhatIsNoDataSet) {
  EXPECT_THAT(ShardError({{"x.jpg", "1"}}), HasSubstr("member x.jpg has no .cls"));
  EXPECT_THAT(ShardError({{"x.cls", "1"}}), HasSubstr("member x.cls has no image"));
  EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", "0"}, {"x.png", "1"}}),
              HasSubstr("member x.png is the second image of its key"));
  EXPECT_THAT(ShardError({{"x.cls", "1"}, {"x.cls", "1"}}), HasSubstr("is the second class"));
  EXPECT_THAT(ShardError({{"x.webp", "1"}}), HasSubstr("of a kind that is not read"));
  for (const std::string& text : {std::string(), std::string("cat"), std::string("-1"),
                                  std::string("4294967296"), "1" + std::string(40, ' ')}) {
    EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", text}}),
                HasSubstr("member x.cls must hold the number of a class"))
        << text;
  }
  EXPECT_THAT(ShardError({{"notes.txt", "1"}}), HasSubstr("has an image"));
  EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", "2"}}, {"a", "b"}),
              AllOf(HasSubstr("x has the label 2"), HasSubstr("classes.txt has 2 lines")));
  EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", "1"}, {"y.jpg", "1"}, {"y.cls", "1"}}),
              HasSubstr("there is a label 1, but no label 0"));
  EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", "9"}}), HasSubstr("but 1 examples"));
  EXPECT_THAT(ShardError({{"x.jpg", "1"}, {"x.cls", "4294967295"}}),
              HasSubstr("no model has so many classes"));
}

TEST(Shards, AShardThatIsBrokenIsNamedWithThePlace) {
  const TempDir root;
  WriteFile(root / "train-0.tar", "rubbish");
  EXPECT_EQ(Open(root).status(),
            absl::InvalidArgumentError(root / "train-0.tar: at byte 0: it is no tar file"));
}

TEST(Shards, AShardThatShrinksWhileItIsReadIsNamed) {
  const TempDir root;
  WriteShard(root / "train-0.tar", {{"x.jpg", "1"}, {"x.cls", "0"}});
  const auto opened = Open(root);
  ASSERT_TRUE(opened.ok()) << opened.status();
  WriteFile(root / "train-0.tar", "");
  const absl::Status status = (*opened)->Read(0).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), HasSubstr("train-0.tar: it ends before byte 513"));
}

}  // namespace
}  // namespace conadv
