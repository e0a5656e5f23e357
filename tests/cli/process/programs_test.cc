// SPDX-License-Identifier: Apache-2.0
#include "cli/process/programs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(FindProgram, ProgramsBesideUsGoBeforeThoseOnThePath) {
  TempDir directory;
  WriteFile(directory / "path/tool", "");
  chmod((directory / "path/tool").c_str(), 0755);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "path/tool");
  // What cannot be run is not it.
  WriteFile(directory / "own/tool", "");
  chmod((directory / "own/tool").c_str(), 0644);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "path/tool");
  chmod((directory / "own/tool").c_str(), 0755);
  EXPECT_EQ(FindProgram("tool", directory / "own", directory / "path").value(),
            directory / "own/tool");
  EXPECT_THAT(FindProgram("other", directory / "own", "").status().message(),
              AllOf(HasSubstr("other"), HasSubstr(directory / "own")));
}

}  // namespace
}  // namespace conadv
