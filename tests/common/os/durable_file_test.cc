// SPDX-License-Identifier: Apache-2.0
// What a power loss would leave cannot be seen from here; which directories are synced can.
#include <filesystem>
#include <string>

#include "common/os/file.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/common/os/disk_calls.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DurableFileTest : public ::testing::Test {
 protected:
  DurableFileTest() : root_(std::filesystem::canonical(directory_.path()).string()) {}

  std::string Path(const std::string& name) const { return root_ + "/" + name; }

  const FileSystem& files_ = FileSystem::Real();
  const TempDir directory_;
  const std::string root_;
};

TEST_F(DurableFileTest, WhatIsRemovedStaysRemoved) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b")).ok());
  ASSERT_TRUE(files_.WriteAtomically(Path("a/f"), "x").ok());
  TakeSynced();
  ASSERT_TRUE(files_.Remove(Path("a/f")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(Path("a")));
  ASSERT_TRUE(files_.Remove(Path("a/b/")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(Path("a")));
  ASSERT_TRUE(files_.Remove(Path("a")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(root_));
  ASSERT_TRUE(files_.Remove(Path("a")).ok());
  EXPECT_THAT(TakeSynced(), IsEmpty());
}

TEST_F(DurableFileTest, WhatIsRenamedKeepsItsNewName) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/d")).ok());
  ASSERT_TRUE(files_.MakeDirectories(Path("b")).ok());
  TakeSynced();
  ASSERT_TRUE(files_.Rename(Path("a/d"), Path("a/e")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(Path("a")));
  // The new name first: what has two names after a power loss is not lost.
  ASSERT_TRUE(files_.Rename(Path("a/e"), Path("b/e")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(Path("b"), Path("a")));
}

TEST_F(DurableFileTest, WhatIsMadeIsInItsDirectory) {
  ASSERT_TRUE(files_.MakeDirectories(Path("a/b/")).ok());
  EXPECT_THAT(TakeSynced(), ElementsAre(root_, Path("a")));
  ASSERT_TRUE(files_.WriteAtomically(Path("a/f"), "x").ok());
  EXPECT_THAT(TakeSynced(), Contains(Path("a")));
}

}  // namespace
}  // namespace conadv
