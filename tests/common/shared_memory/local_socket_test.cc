// SPDX-License-Identifier: Apache-2.0
#include "common/shared_memory/local_socket.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"

namespace conadv {
namespace {

class LocalSocketTest : public ::testing::Test {
 protected:
  const std::string name_ = absl::StrCat("conadv-test-", RandomIncarnation().value());
  const LocalListener listener_ = *LocalListener::Listen(name_);
  const LocalSocket client_ = *LocalSocket::Connect(name_);
  const LocalSocket server_ = **listener_.Accept();
};

TEST_F(LocalSocketTest, MessagesStayWholeAndFilesComeWithThem) {
  EXPECT_FALSE(listener_.Accept()->has_value());
  EXPECT_FALSE(server_.Receive()->has_value());
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor reads(ends[0]);
  FileDescriptor writes(ends[1]);
  ASSERT_TRUE(client_.Send("first").ok());
  ASSERT_TRUE(client_.Send("second", writes.get()).ok());
  EXPECT_EQ((*server_.Receive())->bytes, "first");
  auto second = *server_.Receive();
  EXPECT_EQ(second->bytes, "second");
  ASSERT_EQ(second->files.size(), 1U);
  EXPECT_EQ(fcntl(second->files[0].get(), F_GETFD), FD_CLOEXEC);
  EXPECT_EQ(write(second->files[0].get(), "x", 1), 1);
}

TEST_F(LocalSocketTest, AHangUpIsSeenAtOnceAndFromBothEnds) {
  EXPECT_FALSE(server_.hung_up());
  client_.Shutdown();
  EXPECT_TRUE(server_.hung_up());
  EXPECT_TRUE(client_.hung_up());
  EXPECT_TRUE(absl::IsUnavailable(server_.Receive().status()));
  EXPECT_TRUE(absl::IsUnavailable(server_.Send("x")));
}

TEST_F(LocalSocketTest, WhoTakesNothingIsFoundOutAndNobodyWaitsForIt) {
  absl::Status status;
  for (int i = 0; i < 100'000 && status.ok(); ++i) status = client_.Send("message");
  EXPECT_TRUE(absl::IsUnavailable(status));
}

TEST_F(LocalSocketTest, TooManyFilesAreRefusedAndClosed) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor reads(ends[0]);
  {
    const FileDescriptor writes(ends[1]);
    const std::array<int, 3> files = {writes.get(), writes.get(), writes.get()};
    char byte = 'x';
    iovec data{&byte, 1};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(files))> control{};
    msghdr header{};
    header.msg_iov = &data;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(files));
    std::memcpy(CMSG_DATA(rights), files.data(), sizeof(files));
    ASSERT_EQ(sendmsg(client_.fd(), &header, 0), 1);
  }
  EXPECT_TRUE(absl::IsInvalidArgument(server_.Receive().status()));
  char byte;
  EXPECT_EQ(read(reads.get(), &byte, 1), 0) << "nobody has the other end any more";
}

TEST_F(LocalSocketTest, ANameIsOneListenersAndGoesWithIt) {
  EXPECT_TRUE(absl::IsUnavailable(LocalListener::Listen(name_).status()));
  EXPECT_TRUE(absl::IsUnavailable(LocalSocket::Connect(name_ + "-other").status()));
  EXPECT_FALSE(LocalSocket::Connect(std::string(200, 'x')).ok());
}

}  // namespace
}  // namespace conadv
