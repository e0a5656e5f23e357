// SPDX-License-Identifier: Apache-2.0
#include "cli/train/process_logs.h"

#include <gtest/gtest.h>

#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

TEST(ProcessLogs, TheLastWordsAreThoseOfThePresentLife) {
  const TempDir directory;
  const std::string path = directory / "server-0.log";
  ProcessLogs logs(&FileSystem::Real());
  EXPECT_EQ(logs.LastWords("server-0"), "");
  logs.OnStart({"server-0", {}, path});
  EXPECT_EQ(logs.LastWords("server-0"), "") << "there is no log yet";
  WriteFile(path, "conadv-server: no port\n");
  EXPECT_EQ(logs.LastWords("server-0"), "no port");
  logs.OnStart({"server-0", {}, path});
  EXPECT_EQ(logs.LastWords("server-0"), "");
  WriteFile(path, "conadv-server: no port\nconadv-server: no memory\n");
  EXPECT_EQ(logs.LastWords("server-0"), "no memory");
}

}  // namespace
}  // namespace conadv
