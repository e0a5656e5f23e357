// SPDX-License-Identifier: Apache-2.0
#include "common/wire/parse_message.h"

#include <gtest/gtest.h>

#include <string>

#include "conadv/v1/parameter_server.pb.h"

namespace conadv {
namespace {

v1::PushHeader SomeHeader() {
  v1::PushHeader header;
  header.set_worker("worker-1");
  header.set_layout_hash(7);
  v1::Plan* plan = header.mutable_initial_weights()->mutable_plan();
  plan->add_tensors()->set_name("weight");
  plan->mutable_tensors(0)->add_shape(300);
  plan->set_examples(1 << 20);
  return header;
}

TEST(ParseMessage, TakesWhatProtobufWrites) {
  const v1::PushHeader header = SomeHeader();
  v1::PushHeader parsed;
  ASSERT_TRUE(ParseMessage(header.SerializeAsString(), &parsed));
  EXPECT_EQ(parsed.SerializeAsString(), header.SerializeAsString());
  EXPECT_TRUE(ParseMessage("", &parsed));
}

TEST(ParseMessage, TakesFieldsOfANewerPeer) {
  std::string bytes = SomeHeader().SerializeAsString();
  bytes += std::string("\xf2\x07\x03xyz\xf8\x07\x05", 9);  // fields 126 and 127
  v1::PushHeader parsed;
  EXPECT_TRUE(ParseMessage(bytes, &parsed));
  EXPECT_EQ(parsed.worker(), "worker-1");
}

TEST(ParseMessage, EveryCutOffMessageIsRefusedOrShorter) {
  const std::string bytes = SomeHeader().SerializeAsString();
  for (size_t size = 0; size < bytes.size(); ++size) {
    v1::PushHeader ours;
    v1::PushHeader theirs;
    EXPECT_EQ(ParseMessage(bytes.substr(0, size), &ours),
              theirs.ParseFromString(bytes.substr(0, size)))
        << size;
  }
}

// Found by fuzzing: protobuf reserved 393,215 bytes for it.
TEST(ParseMessage, ALengthThatIsNotThereIsRefusedAtAnyDepth) {
  v1::PushHeader parsed;
  EXPECT_FALSE(ParseMessage(std::string("\x12\xff\xff\x17", 4), &parsed));  // worker
  EXPECT_FALSE(ParseMessage(std::string("\x22\x04\x12\xff\xff\x17", 6), &parsed));
  EXPECT_FALSE(ParseMessage(std::string("\x22\x06\x0a\x04\x0a\xff\xff\x17", 8), &parsed));
  EXPECT_FALSE(ParseMessage(std::string("\x0b\x0c", 2), &parsed)) << "a group";
}

}  // namespace
}  // namespace conadv
