// SPDX-License-Identifier: Apache-2.0
#include "cli/results/earlier_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/fault_file_system.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

class EarlierRunTest : public ::testing::Test {
 protected:
  EarlierRunTest() { Write("old"); }

  void Write(const std::string& text) {
    for (const char* name : {"a", "b/c"}) WriteFile(directory_ / name, text);
  }
  std::string Text() const { return ReadFile(directory_ / "a") + ReadFile(directory_ / "b/c"); }
  std::vector<std::string> Names() const {
    return FileSystem::Real().List(directory_.path()).value();
  }
  EarlierRun Run(const FileSystem* files = &FileSystem::Real()) const {
    return EarlierRun(directory_.path(), {"a", "b", "none"}, files);
  }

  const TempDir directory_;
};

TEST_F(EarlierRunTest, IsBackIfTheNewOneFails) {
  EarlierRun earlier = Run();
  ASSERT_TRUE(earlier.SetAside().ok());
  EXPECT_TRUE(earlier.aside());
  Write("new");
  ASSERT_TRUE(earlier.PutBack().ok());
  EXPECT_FALSE(earlier.aside());
  EXPECT_EQ(Text(), "oldold");
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
}

TEST_F(EarlierRunTest, IsGoneIfTheNewOneTakesItsPlace) {
  EarlierRun earlier = Run();
  ASSERT_TRUE(earlier.SetAside().ok());
  Write("new");
  ASSERT_TRUE(earlier.Drop().ok());
  EXPECT_EQ(Text(), "newnew");
  EXPECT_THAT(Names(), ElementsAre("a", "b"));
  ASSERT_TRUE(Run().Recover().ok());
  EXPECT_EQ(Text(), "newnew");
}

// Whatever change of the disk is the last one that an earlier process makes.
TEST_F(EarlierRunTest, IsWholeAgainWheneverTheProcessDies) {
  bool ended = false;
  for (int changes = 0; !ended; ++changes) {
    ASSERT_LT(changes, 100);
    FaultFileSystem dies(changes);
    EarlierRun earlier = Run(&dies);
    ended = earlier.SetAside().ok();
    if (ended) {
      Write("new");
      ended = earlier.PutBack().ok();
    }
    ASSERT_TRUE(Run().Recover().ok()) << changes;
    EXPECT_EQ(Text(), "oldold") << changes;
    EXPECT_THAT(Names(), ElementsAre("a", "b")) << changes;
  }
}

TEST_F(EarlierRunTest, OneOfTheTwoIsWholeWheneverTheProcessDiesAtTheChange) {
  bool ended = false;
  for (int changes = 0; !ended; ++changes) {
    ASSERT_LT(changes, 100);
    ASSERT_TRUE(Run().SetAside().ok());
    Write("new");
    const FaultFileSystem dies(changes);
    EarlierRun earlier = Run(&dies);
    ASSERT_TRUE(FileSystem::Real().Exists(directory_ / "earlier-run"));
    ended = earlier.Drop().ok();
    ASSERT_TRUE(Run().Recover().ok()) << changes;
    EXPECT_EQ(Text(), changes == 0 ? "oldold" : "newnew") << changes;
    EXPECT_THAT(Names(), ElementsAre("a", "b")) << changes;
    Write("old");
  }
}

}  // namespace
}  // namespace conadv
