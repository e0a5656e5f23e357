// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/listening_sockets.h"

#include <gtest/gtest.h>

#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

TEST(ListenOn, PicksAFreePortOfEveryKindOfAddress) {
  for (const char* const host : {"127.0.0.1", "[::1]", "localhost", "0.0.0.0", "[::]"}) {
    const auto listening = ListenOn(absl::StrCat(host, ":0"));
    ASSERT_TRUE(listening.ok()) << host << " " << listening.status();
    EXPECT_NE(listening->port, 0);
    EXPECT_FALSE(listening->sockets.empty());
  }
}

TEST(ListenOn, APortIsOneServersOnly) {
  const auto first = ListenOn("127.0.0.1:0");
  ASSERT_TRUE(first.ok()) << first.status();
  const auto second = ListenOn(absl::StrCat("127.0.0.1:", first->port));
  EXPECT_TRUE(absl::IsUnavailable(second.status()));
}

TEST(ListenOn, AnAddressOfNobodyHereIsUnavailable) {
  EXPECT_TRUE(absl::IsUnavailable(ListenOn("192.0.2.1:0").status()));
}

}  // namespace
}  // namespace conadv
