// SPDX-License-Identifier: Apache-2.0
// The job files in deploy/jobs.
#include <gtest/gtest.h>

#include <filesystem>

#include "common/job/parse.h"
#include "common/os/file.h"

namespace conadv {
namespace {

const std::filesystem::path kJobs = std::filesystem::path(CONADV_SOURCE_DIR) / "deploy" / "jobs";

TEST(ShippedJobs, KeepEveryRule) {
  int found = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kJobs)) {
    if (entry.path().extension() != ".textproto") continue;
    ++found;
    const auto text = FileSystem::Real().Read(entry.path().string());
    ASSERT_TRUE(text.ok()) << text.status();
    const auto job = ParseJobText(*text, entry.path().string());
    ASSERT_TRUE(job.ok()) << job.status();
    EXPECT_TRUE(ValidateJob(*job).ok()) << entry.path() << ": " << ValidateJob(*job).status();
  }
  EXPECT_GT(found, 0);
}

}  // namespace
}  // namespace conadv
