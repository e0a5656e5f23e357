// SPDX-License-Identifier: Apache-2.0
// What peers call themselves goes into our logs.
#include <string>

#include "common/protocol/push_message.h"
#include "conadv/v1/coordinator.pb.h"
#include "conadv/v1/parameter_server.pb.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "server/rpc/membership/member_proto.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

absl::Status Hello(const std::string& name) {
  v1::Hello hello;
  hello.set_name(name);
  hello.set_role(v1::OBSERVER);
  return FromProto(hello, "peer").status();
}

absl::Status Push(const std::string& worker) {
  v1::PushHeader header;
  header.set_worker(worker);
  header.mutable_contribution();
  return ParsePushHeader(header.SerializeAsString()).status();
}

TEST(PeerNames, ControlCharactersAreRefused) {
  for (const char* name : {"\x1b[2J", "worker\n0", "\x7f"}) {
    for (const absl::Status& status : {Hello(name), Push(name)}) {
      EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << status;
      EXPECT_THAT(std::string(status.message()), HasSubstr("control characters"));
    }
  }
}

TEST(PeerNames, TextIsTaken) {
  for (const char* name : {"worker-0", "τ/1 (host)"}) {
    EXPECT_TRUE(Hello(name).ok()) << Hello(name);
    EXPECT_TRUE(Push(name).ok()) << Push(name);
  }
}

}  // namespace
}  // namespace conadv
