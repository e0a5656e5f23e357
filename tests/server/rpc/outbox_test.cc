// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/membership/outbox.h"

#include <gtest/gtest.h>

#include <cstdint>

namespace conadv {
namespace {

v1::JoinResponse Grant(uint64_t step) {
  v1::JoinResponse response;
  response.mutable_grant()->add_units()->set_step(step);
  return response;
}

TEST(Outbox, MessagesAreWrittenOneAtATimeAndTheEndComesAfterThem) {
  Outbox outbox;
  EXPECT_EQ(outbox.NextMessage(), nullptr);
  outbox.Push(Grant(1));
  outbox.Push(Grant(2));
  outbox.End(absl::AbortedError("the run has failed"));
  outbox.Push(Grant(3));  // too late
  const v1::JoinResponse* const first = outbox.NextMessage();
  ASSERT_NE(first, nullptr);
  EXPECT_EQ(first->grant().units(0).step(), 1U);
  EXPECT_EQ(outbox.NextMessage(), nullptr) << "one is being written";
  EXPECT_FALSE(outbox.TakeEnd().has_value());
  outbox.OnWritten(true);
  EXPECT_EQ(outbox.NextMessage()->grant().units(0).step(), 2U);
  outbox.OnWritten(true);
  EXPECT_EQ(outbox.NextMessage(), nullptr);
  EXPECT_TRUE(absl::IsAborted(*outbox.TakeEnd()));
  EXPECT_FALSE(outbox.TakeEnd().has_value()) << "once";
}

TEST(Outbox, WhatCannotBeWrittenAnyMoreIsDropped) {
  Outbox outbox;
  outbox.Push(Grant(1));
  outbox.Push(Grant(2));
  ASSERT_NE(outbox.NextMessage(), nullptr);
  outbox.OnWritten(false);
  EXPECT_EQ(outbox.NextMessage(), nullptr);
  outbox.End(absl::CancelledError("gone"));
  outbox.End(absl::OkStatus());  // the first counts
  EXPECT_TRUE(absl::IsCancelled(*outbox.TakeEnd()));
}

}  // namespace
}  // namespace conadv
