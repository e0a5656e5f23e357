// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <utility>

#include "server/process/server.h"
#include "tests/soak/tiny_run.h"
#include "tests/support/temp_dir.h"

namespace conadv {
namespace {

TEST(Settings, ThatCannotBeReadKeepARunFromGoingOnAsAnotherOne) {
  const TempDir directory;
  WriteFile(directory / "settings.json", "{\"format\": 1, \"training.tau\": [");
  LaunchOptions options;
  options.job = JobOf(TinyRun());
  options.listen = "127.0.0.1:0";
  options.checkpoint_dir = directory.path();
  const absl::Status status = Server::Start(std::move(options)).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_THAT(status.message(), ::testing::HasSubstr("settings.json is not what was written"));
  EXPECT_THAT(status.message(), ::testing::HasSubstr("move it away"));
}

}  // namespace
}  // namespace conadv
