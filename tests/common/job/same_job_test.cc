// SPDX-License-Identifier: Apache-2.0
#include "common/job/same_job.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::HasSubstr;

constexpr char kShortJob[] = "model { builtin: 'mlp' } dataset { path: '/a' } training { tau: 2 }";

TEST(SameJob, WhatDoesNotTouchTheWeightsMayDiffer) {
  EXPECT_TRUE(CheckSameJob(kShortJob,
                           "name: 'other' model { builtin: 'mlp' } "
                           "dataset { path: '/b' cache_bytes: 5 max_corrupt: 9 } "
                           "training { tau: 2 } attack { cosine_every: 3 } server { lease_seconds: "
                           "3 } evaluation { every: 7 }",
                           "d")
                  .ok());
}

TEST(SameJob, ADefaultWrittenOutIsTheSame) {
  EXPECT_TRUE(
      CheckSameJob(kShortJob, "seed: 1 model { builtin: 'mlp' } training { tau: 2 slots: 4 }", "d")
          .ok());
}

TEST(SameJob, WhatDiffersIsNamedWithTheDirectory) {
  const absl::Status status =
      CheckSameJob("seed: 2 model { builtin: 'mlp' } training { tau: 2 }", kShortJob, "some/where");
  EXPECT_TRUE(absl::IsFailedPrecondition(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("seed: 1 -> 2"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("some/where"));
}

}  // namespace
}  // namespace conadv
