// SPDX-License-Identifier: Apache-2.0
#include "cli/job/job_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace conadv {
namespace {

using ::testing::HasSubstr;

// In a program that has all of the command line's parts.
TEST(JobSource, WhatIsWrongWithASettingIsSaidInPlainText) {
  JobSource source;
  source.settings = {"x={}"};
  EXPECT_THAT(std::string(ReadJob(source, FileSystem::Real()).status().message()),
              HasSubstr("x={}: the job has no field \"x\""));
  source.settings = {"training.tau={}"};
  EXPECT_THAT(std::string(ReadJob(source, FileSystem::Real()).status().message()),
              HasSubstr("got \"{}\""));
}

TEST(JobSource, AGroupMayBeChosenAsAJobFileDoes) {
  JobSource source;
  source.settings = {"optimizer.lars={}"};
  const auto job = ReadJob(source, FileSystem::Real());
  ASSERT_TRUE(job.ok()) << job.status();
  EXPECT_TRUE(job->optimizer().has_lars());
}

}  // namespace
}  // namespace conadv
