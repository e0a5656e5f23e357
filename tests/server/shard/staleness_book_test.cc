// SPDX-License-Identifier: Apache-2.0
// How stale contributions were, and where that arose.
#include "server/shard/staleness_book.h"

#include <gtest/gtest.h>

#include "common/job/streams.h"

namespace conadv {
namespace {

TEST(StalenessBook, WhatCameLateIsTheFirstPartOfAnUpdatesStaleness) {
  TrainingOptions training;
  StalenessBook book(4, StreamsOf(training));
  Contribution contribution;
  contribution.worker = "a";
  contribution.update_version = Version(3);
  contribution.attack_version = Version(1);
  book.AddArrived("a", 2);  // version 5 was the newest
  book.AddApplied({contribution}, contribution.unit, Version(7), absl::UnixEpoch());
  const StalenessBook::Worker all = book.all();
  EXPECT_EQ(all.update.sum(), 4U);
  EXPECT_EQ(all.late, 2U);
  EXPECT_EQ(book.Read().workers.at("a").late, 2U);
}

}  // namespace
}  // namespace conadv
