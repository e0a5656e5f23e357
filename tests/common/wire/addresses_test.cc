// SPDX-License-Identifier: Apache-2.0
#include "common/wire/addresses.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(Addresses, RangesStandForOneAddressEach) {
  EXPECT_THAT(
      *ExpandAddresses("conadv-server-{0..2}.conadv-server:7000"),
      ElementsAre("conadv-server-0.conadv-server:7000", "conadv-server-1.conadv-server:7000",
                  "conadv-server-2.conadv-server:7000"));
  EXPECT_THAT(*ExpandAddresses("a:1, b-{3..3}:65535"), ElementsAre("a:1", "b-3:65535"));
}

TEST(Addresses, ACountAloneCountsFrom0) {
  EXPECT_THAT(*ExpandAddresses("s-{2}.svc:7000"), ElementsAre("s-0.svc:7000", "s-1.svc:7000"));
  EXPECT_THAT(*ExpandAddresses("s-{1}:7000"), ElementsAre("s-0:7000"));
  EXPECT_EQ(ExpandAddresses("s-{4096}:7000")->size(), 4096U);
}

TEST(Addresses, WhatIsBrokenIsNamed) {
  for (const char* list : {"", "host", ":7000", "host:0", "host:65536", "host:x", "a-{2..1}:1",
                           "a-{0..}:1", "a-{0..1:1", "a-{0..4294967295}:1", "a:1,a:1", "a:1,",
                           "a-{}:1", "a-{0}:1", "a-{-1}:1", "a-{4097}:1", "a-{x}:1"}) {
    const auto addresses = ExpandAddresses(list);
    EXPECT_EQ(addresses.status().code(), absl::StatusCode::kInvalidArgument) << list;
    EXPECT_THAT(addresses.status().message(), HasSubstr("address '")) << list;
  }
}

TEST(Addresses, AStatefulSetsHostNameSaysWhichShard) {
  EXPECT_EQ(*OrdinalOf("conadv-server-12"), 12U);
  EXPECT_EQ(*OrdinalOf("conadv-server-0.conadv-server.default.svc"), 0U);
  EXPECT_FALSE(OrdinalOf("laptop").ok());
  EXPECT_FALSE(OrdinalOf("server-x").ok());
}

TEST(Addresses, AnIpv6AddressIsWrittenInBrackets) {
  for (const char* address : {"::1:7000", "::1", "[::1:7000", "fe80::1:2"}) {
    EXPECT_THAT(CheckListenAddress(address).message(), HasSubstr("as in [::1]:7000")) << address;
    EXPECT_THAT(ExpandAddresses(address).status().message(), HasSubstr("[::1]:7000")) << address;
  }
  EXPECT_TRUE(CheckListenAddress("[::1]:7000").ok());
  EXPECT_TRUE(ExpandAddresses("[::1]:7000").ok());
}

TEST(Addresses, OnlyToListenThePortMayBe0) {
  EXPECT_TRUE(CheckListenAddress("127.0.0.1:0").ok());
  EXPECT_FALSE(ExpandAddresses("127.0.0.1:0").ok());
  for (const char* address : {"", "7000", ":7000", "a:65536", "a:", "a:x"}) {
    EXPECT_FALSE(CheckListenAddress(address).ok()) << address;
  }
}

TEST(Addresses, OnlyLoopbackIsLoopback) {
  EXPECT_TRUE(IsLoopback("127.0.0.1:0"));
  EXPECT_TRUE(IsLoopback("localhost:7000"));
  EXPECT_TRUE(IsLoopback("ip6-localhost:7000"));
  EXPECT_TRUE(IsLoopback("127.3.2.1:7000"));
  EXPECT_TRUE(IsLoopback("[::1]:7000"));
  EXPECT_TRUE(IsLoopback("[0:0:0:0:0:0:0:1]:7000"));
  EXPECT_FALSE(IsLoopback("127.example.com:7000"));
  EXPECT_FALSE(IsLoopback("[::2]:7000"));
  EXPECT_FALSE(IsLoopback("0.0.0.0:7000"));
  EXPECT_FALSE(IsLoopback("[::]:7000"));
  EXPECT_FALSE(IsLoopback("conadv-server-0:7000"));
}

TEST(Addresses, AWildcardIsNobodysAddress) {
  EXPECT_TRUE(IsWildcard("0.0.0.0:7000"));
  EXPECT_TRUE(IsWildcard("[::]:0"));
  EXPECT_FALSE(IsWildcard("127.0.0.1:7000"));
  EXPECT_FALSE(IsWildcard("[::1]:7000"));
  EXPECT_FALSE(IsWildcard("conadv-server-0:7000"));
}

}  // namespace
}  // namespace conadv
