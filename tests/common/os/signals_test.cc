// SPDX-License-Identifier: Apache-2.0
#include "common/os/signals.h"

#include <gtest/gtest.h>
#include <signal.h>

namespace conadv {
namespace {

TEST(ShutdownSignals, WhatIsIgnoredAtTheStartStaysIgnored) {
  signal(SIGINT, SIG_IGN);
  const ShutdownSignals& signals = ShutdownSignals::Install();
  EXPECT_TRUE(Ignored(SIGINT));
  EXPECT_FALSE(Ignored(SIGTERM));
  raise(SIGINT);
  EXPECT_FALSE(signals.received());
  raise(SIGTERM);
  EXPECT_TRUE(signals.received());
  signal(SIGINT, SIG_DFL);
}

}  // namespace
}  // namespace conadv
