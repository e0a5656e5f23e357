// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/taken_bytes.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include <cstring>

namespace conadv {
namespace {

sockaddr_storage Six(const char* address, uint32_t scope = 0) {
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(7000);
  in.sin6_scope_id = scope;
  EXPECT_EQ(inet_pton(AF_INET6, address, &in.sin6_addr), 1);
  sockaddr_storage storage{};
  std::memcpy(&storage, &in, sizeof(in));
  return storage;
}

TEST(PeerName, IsTheSameByAddressAndByWhatGrpcCallsIt) {
  EXPECT_EQ(PeerName(Six("::1")), PeerName("ipv6:%5B::1%5D:7000"));
  EXPECT_EQ(PeerName(Six("fe80::1", 2)), PeerName("ipv6:%5Bfe80::1%252%5D:7000"));
  EXPECT_EQ(PeerName(Six("::ffff:10.0.0.1")), PeerName("ipv4:10.0.0.1:7000"));
  EXPECT_EQ(PeerName("ipv4:10.0.0.1:7000"), "10.0.0.1:7000");
  EXPECT_EQ(PeerName("unix:/tmp/socket"), "");
}

TEST(TakenBytes, CountForTheConnectionThatIsThere) {
  TakenBytes taken;
  const TakenBytes::Counter first = taken.Add("10.0.0.1:7000");
  *taken.Find("ipv4:10.0.0.1:7000") += 5;
  EXPECT_EQ(*first, 5);
  // The next of that name, before the first is seen to be gone.
  const TakenBytes::Counter second = taken.Add("10.0.0.1:7000");
  taken.Remove("10.0.0.1:7000", first);
  *taken.Find("ipv4:10.0.0.1:7000") += 7;
  EXPECT_EQ(*second, 7);
  taken.Remove("10.0.0.1:7000", second);
  *taken.Find("ipv4:10.0.0.1:7000") += 9;
  EXPECT_EQ(*second, 7);
}

}  // namespace
}  // namespace conadv
