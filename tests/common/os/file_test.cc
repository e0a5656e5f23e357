// SPDX-License-Identifier: Apache-2.0
#include "common/os/file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class FileTest : public ::testing::Test {
 protected:
  FileTest() {
    std::string pattern = ::testing::TempDir() + "conadv_file_XXXXXX";
    EXPECT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  ~FileTest() override { EXPECT_TRUE(files_.Remove(directory_).ok()); }

  std::string Path(const std::string& name) const { return directory_ + "/" + name; }

  const FileSystem& files_ = FileSystem::Real();
  std::string directory_;
};

TEST_F(FileTest, ReadReturnsWhatWasWritten) {
  std::string bytes(3'000'001, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31);
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), bytes).ok());
  const auto read = files_.Read(Path("f"));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_TRUE(*read == bytes);
}

TEST_F(FileTest, EmptyFileIsReadAsEmpty) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "").ok());
  EXPECT_EQ(files_.Read(Path("f")).value(), "");
}

TEST_F(FileTest, WriteReplacesAndLeavesNoTemporaryFile) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "the first, longer").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "second").ok());
  EXPECT_EQ(files_.Read(Path("f")).value(), "second");
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("f"));
}

TEST_F(FileTest, FailedWriteLeavesNothingAndNamesThePath) {
  // A directory that is not empty cannot be replaced by a file.
  ASSERT_TRUE(files_.MakeDirectories(Path("d/e")).ok());
  const absl::Status status = files_.WriteAtomically(Path("d"), "bytes");
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("d")));
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("d"));
}

TEST_F(FileTest, WhatIsNoFileIsNeverReplacedByOne) {
  ASSERT_TRUE(files_.MakeDirectories(Path("directory")).ok());
  ASSERT_EQ(::mkfifo(Path("pipe").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("pipe", Path("link").c_str()), 0);
  for (const char* name : {"directory", "pipe", "link"}) {
    const absl::Status status = files_.WriteAtomically(Path(name), "bytes");
    EXPECT_FALSE(status.ok()) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr(Path(name)));
  }
  struct stat stat {};
  EXPECT_EQ(::lstat(Path("pipe").c_str(), &stat), 0);
  EXPECT_TRUE(S_ISFIFO(stat.st_mode));
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("directory", "link", "pipe"));
}

TEST_F(FileTest, OfALinkTheTargetIsReplaced) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/f"), "first").ok());
  ASSERT_EQ(::symlink("a/f", Path("near").c_str()), 0);
  ASSERT_EQ(::symlink("near", Path("far").c_str()), 0);
  ASSERT_EQ(::symlink("a/new", Path("dangling").c_str()), 0);
  ASSERT_EQ(::symlink("loop", Path("loop").c_str()), 0);
  EXPECT_TRUE(files_.WriteAtomically(Path("far"), "second").ok());
  EXPECT_TRUE(files_.WriteAtomically(Path("dangling"), "third").ok());
  EXPECT_FALSE(files_.WriteAtomically(Path("loop"), "fourth").ok());
  EXPECT_EQ(files_.Read(Path("a/f")).value(), "second");
  EXPECT_EQ(files_.Read(Path("a/new")).value(), "third");
  struct stat stat {};
  for (const char* link : {"near", "far", "dangling", "loop"}) {
    EXPECT_EQ(::lstat(Path(link).c_str(), &stat), 0);
    EXPECT_TRUE(S_ISLNK(stat.st_mode)) << link;
  }
}

TEST_F(FileTest, ConcurrentWritersOfOnePathLeaveOneOfTheirFilesWhole) {
  std::vector<std::thread> writers;
  for (char c = 'a'; c < 'e'; ++c) {
    writers.emplace_back([this, c] {
      for (int i = 0; i < 5; ++i) {
        EXPECT_TRUE(files_.WriteAtomically(Path("f"), std::string(100'000, c)).ok());
      }
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string read = files_.Read(Path("f")).value();
  EXPECT_TRUE(read == std::string(100'000, read[0]));
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("f"));
}

TEST_F(FileTest, MissingFileIsNotFoundAndNamesThePath) {
  const absl::Status status = files_.Read(Path("none")).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(status.message()), HasSubstr(Path("none")));
  EXPECT_EQ(files_.List(Path("none")).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.WriteAtomically(Path("none/f"), "x").code(), absl::StatusCode::kNotFound);
}

TEST_F(FileTest, SizeIsOfFilesOnly) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "12345").ok());
  EXPECT_EQ(files_.Size(Path("f")).value(), 5);
  EXPECT_FALSE(files_.Size(directory_).ok());
  EXPECT_EQ(files_.Size(Path("none")).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(FileTest, ReadingADirectoryIsAnError) { EXPECT_FALSE(files_.Read(directory_).ok()); }

TEST_F(FileTest, MakeDirectoriesMakesParentsAndIsFineTwice) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b/c")).ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b/c")).ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b/d/")).ok());
  EXPECT_THAT(files_.List(Path("a/b")).value(), ElementsAre("c", "d"));
}

TEST_F(FileTest, MakeDirectoriesOverAFileIsAnError) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "x").ok());
  EXPECT_FALSE(files_.MakeDirectories(Path("f")).ok());
  EXPECT_FALSE(files_.MakeDirectories(Path("f/g")).ok());
}

TEST_F(FileTest, RemoveTakesFilesAndWholeDirectoriesAndIsFineWithNone) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/b/f"), "x").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("g"), "x").ok());
  EXPECT_TRUE(files_.Exists(Path("a")));
  EXPECT_TRUE(files_.Remove(Path("a")).ok());
  EXPECT_TRUE(files_.Remove(Path("g")).ok());
  EXPECT_TRUE(files_.Remove(Path("a")).ok());
  EXPECT_FALSE(files_.Exists(Path("a")));
  EXPECT_THAT(files_.List(directory_).value(), IsEmpty());
}

TEST_F(FileTest, RenameMovesFilesAndWholeDirectories) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b")).ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("c")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/b/f"), "x").ok());
  EXPECT_TRUE(files_.Rename(Path("a/b/f"), Path("a/b/g")).ok());
  EXPECT_TRUE(files_.Rename(Path("a"), Path("c/d")).ok());
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("c"));
  EXPECT_EQ(files_.Read(Path("c/d/b/g")).value(), "x");
  EXPECT_TRUE(files_.Rename(Path("c/d/b/"), Path("b/")).ok());
  EXPECT_EQ(files_.Read(Path("b/g")).value(), "x");
}

TEST_F(FileTest, RenameReplacesNothing) {
  ASSERT_TRUE(files_.WriteAtomically(Path("f"), "of f").ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("g"), "of g").ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("d/e")).ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("empty")).ok());
  ASSERT_EQ(::symlink("nowhere", Path("link").c_str()), 0);
  for (const char* to : {"g", "d", "empty", "link"}) {
    const absl::Status status = files_.Rename(Path("f"), Path(to));
    EXPECT_EQ(status.code(), absl::StatusCode::kAlreadyExists) << to;
    EXPECT_THAT(std::string(status.message()), HasSubstr(Path(to)));
    EXPECT_EQ(files_.Rename(Path("d"), Path(to)).code(), absl::StatusCode::kAlreadyExists) << to;
  }
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("d", "empty", "f", "g", "link"));
  EXPECT_EQ(files_.Read(Path("f")).value(), "of f");
  EXPECT_EQ(files_.Read(Path("g")).value(), "of g");
}

TEST_F(FileTest, RenameOfNothingToNowhereOrIntoItselfIsAnError) {
  ASSERT_TRUE(files_.MakeDirectories(Path("d")).ok());
  EXPECT_EQ(files_.Rename(Path("none"), Path("f")).code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(files_.Rename(Path("d"), Path("none/d")).code(), absl::StatusCode::kNotFound);
  EXPECT_FALSE(files_.Rename(Path("d"), Path("d/e")).ok());
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("d"));
}

TEST_F(FileTest, OnlyAnEmptyDirectoryIsRemovedIfEmpty) {
  ASSERT_TRUE(files_.MakeDirectories(Path("full/inner")).ok());
  EXPECT_TRUE(files_.RemoveIfEmpty(Path("full")).ok());
  EXPECT_TRUE(files_.Exists(Path("full/inner")));
  EXPECT_TRUE(files_.RemoveIfEmpty(Path("full/inner")).ok());
  EXPECT_FALSE(files_.Exists(Path("full/inner")));
  EXPECT_TRUE(files_.RemoveIfEmpty(Path("nothing")).ok());
}

TEST_F(FileTest, ListIsSorted) {
  for (const char* name : {"b", "c", "a"}) {
    ASSERT_TRUE(files_.WriteAtomically(Path(name), "x").ok());
  }
  EXPECT_THAT(files_.List(directory_).value(), ElementsAre("a", "b", "c"));
}

TEST_F(FileTest, WriteFromCutsAndGoesOnAndMakesNoHoles) {
  const std::string path = Path("log");
  ASSERT_TRUE(files_.WriteFrom(path, 0, "one two").ok());
  ASSERT_TRUE(files_.WriteFrom(path, 4, "three").ok());
  EXPECT_EQ(*files_.Read(path), "one three");
  EXPECT_TRUE(absl::IsDataLoss(files_.WriteFrom(path, 100, "x")));
  EXPECT_TRUE(absl::IsNotFound(files_.WriteFrom(Path("none"), 1, "x")));
  EXPECT_EQ(*files_.Read(path), "one three");
}

}  // namespace
}  // namespace conadv
