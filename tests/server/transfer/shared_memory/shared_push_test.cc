// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/transfer/shared_memory/local_peer.h"
#include "tests/server/transfer/shared_memory/shared_memory_fixture.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

class SharedPushTest : public SharedMemoryTest {
 protected:
  SharedPushTest() : gradient_(*SharedSegment::Create(kElements * sizeof(float))) {
    std::fill_n(Values(), kElements, 0.5F);
  }

  float* Values() { return static_cast<float*>(gradient_->data()); }
  SharedPush PushOf(uint64_t step) {
    return {GradientHeader(step), {7, gradient_->bytes()}, {0, 0, kElements}};
  }
  SharedResponse Push(LocalPeer* peer, uint64_t call, const SharedPush& push, int file = -1) {
    peer->Send({call, push}, file);
    const auto response = peer->Receive();
    EXPECT_TRUE(response.ok()) << response.status();
    return response.value_or(SharedResponse());
  }
  // What a peer is told that breaks a rule and is cut off.
  static std::string Complaint(LocalPeer* peer) {
    const auto response = peer->Receive();
    EXPECT_TRUE(response.ok()) << response.status();
    if (!response.ok()) return "";
    EXPECT_EQ(response->call, 0U);
    EXPECT_TRUE(absl::IsUnavailable(peer->Receive().status())) << "not cut off";
    const auto* status = std::get_if<absl::Status>(&response->content);
    return status == nullptr ? "" : std::string(status->message());
  }
  static size_t OpenFiles() {
    const std::filesystem::directory_iterator files("/proc/self/fd");
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  const std::unique_ptr<SharedSegment> gradient_;
};

TEST_F(SharedPushTest, ItIsReadFromThePeersMemoryWhoseFileComesOnce) {
  Begin();
  LocalPeer peer(server_->name());
  for (uint64_t step = 0; step < 3; ++step) {
    const auto response = Push(&peer, step + 1, PushOf(step), step == 0 ? gradient_->fd() : -1);
    EXPECT_EQ(response.call, step + 1);
    const auto* reply = std::get_if<PushReply>(&response.content);
    ASSERT_NE(reply, nullptr);
    EXPECT_EQ(reply->outcome, PushOutcome::kAccepted);
    EXPECT_EQ(reply->incarnation, incarnation_);
    peer.Send({100 + step, PullQuery{PullSelector::Exactly(Version(step + 1)), 0, kLineage}});
    const auto pulled = peer.Receive();
    ASSERT_TRUE(pulled.ok());
    EXPECT_EQ(peer.Values(*pulled)[kElements - 1], ValueOf(step + 1));
  }
  const auto again = Push(&peer, 9, PushOf(0));
  EXPECT_EQ(std::get<PushReply>(again.content).outcome, PushOutcome::kDuplicate);
}

TEST_F(SharedPushTest, ValuesThatAreNoNumbersAreRefusedWithTheTensorAndThePeerGoesOn) {
  Begin();
  LocalPeer peer(server_->name());
  Values()[77] = std::nanf("");
  const auto refused = Push(&peer, 1, PushOf(0), gradient_->fd());
  EXPECT_THAT(std::string(std::get<absl::Status>(refused.content).message()),
              HasSubstr("tensor weight"));
  Values()[77] = 0.5F;
  const auto taken = Push(&peer, 2, PushOf(0));
  EXPECT_TRUE(std::holds_alternative<PushReply>(taken.content));
}

TEST_F(SharedPushTest, APushThatIsNotWholeIsRefused) {
  Begin();
  LocalPeer peer(server_->name());
  SharedPush part = PushOf(0);
  part.part.size = kElements / 2;
  const auto refused = Push(&peer, 1, part, gradient_->fd());
  EXPECT_TRUE(absl::IsInvalidArgument(std::get<absl::Status>(refused.content)));
  part.part = {0, 16, kElements};
  EXPECT_TRUE(absl::IsInvalidArgument(std::get<absl::Status>(Push(&peer, 2, part).content)));
  EXPECT_EQ(shard_.snapshots().Latest()->version, Version(0));
}

TEST_F(SharedPushTest, ASegmentWithoutItsFileGoesOverTheNetwork) {
  Begin();
  LocalPeer peer(server_->name());
  EXPECT_TRUE(std::holds_alternative<ByNetwork>(Push(&peer, 1, PushOf(0)).content));
}

TEST_F(SharedPushTest, WhoBreaksARuleIsToldWhichAndCutOffAndLeavesNothingBehind) {
  Begin();
  const size_t pages = gradient_->bytes();
  const FileDescriptor unsealed(memfd_create("unsealed", MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(unsealed.get(), static_cast<off_t>(pages)), 0);
  const FileDescriptor growing(memfd_create("growing", MFD_ALLOW_SEALING));
  ASSERT_EQ(ftruncate(growing.get(), static_cast<off_t>(pages)), 0);
  ASSERT_EQ(fcntl(growing.get(), F_ADD_SEALS, F_SEAL_GROW), 0);
  const auto other = *SharedSegment::Create(2 * pages);
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const FileDescriptor reads(ends[0]);
  const FileDescriptor writes(ends[1]);
  SharedPush beyond = PushOf(0);
  beyond.part.place = pages / sizeof(float);
  SharedPush overflows = PushOf(0);
  overflows.part.place = ~uint64_t{0} - 3;
  SharedPush open = PushOf(0);
  open.more = true;
  SharedPush wrong_size = PushOf(0);
  wrong_size.segment.bytes += 1;
  struct Case {
    std::string says;
    std::function<void(LocalPeer&)> breaks;
  };
  const std::vector<Case> cases = {
      {"not a valid protobuf", [](LocalPeer& peer) { peer.SendBytes("\xff\xff garbage"); }},
      {"must not be 0",
       [](LocalPeer& peer) {
         peer.Send({0, CancelCall{}});
       }},
      {"is not sealed",
       [&](LocalPeer& peer) {
         peer.Send({1, PushOf(0)}, unsealed.get());
       }},
      {"is not sealed",
       [&](LocalPeer& peer) {
         peer.Send({1, PushOf(0)}, growing.get());
       }},
      {"no memfd",
       [&](LocalPeer& peer) {
         peer.Send({1, PushOf(0)}, reads.get());
       }},
      {"its file has",
       [&](LocalPeer& peer) {
         peer.Send({1, PushOf(0)}, other->fd());
       }},
      {"expected",
       [&](LocalPeer& peer) {
         peer.Send({1, wrong_size}, gradient_->fd());
       }},
      {"elements from",
       [&](LocalPeer& peer) {
         peer.Send({1, beyond}, gradient_->fd());
       }},
      {"elements from",
       [&](LocalPeer& peer) {
         peer.Send({1, overflows}, gradient_->fd());
       }},
      {"elements from",
       [&](LocalPeer& peer) {
         peer.Send({1, open}, gradient_->fd());
         peer.Send({1, SharedParts{{{pages, 0, 1}}, false}});
       }},
      {"one of them is empty",
       [&](LocalPeer& peer) {
         peer.Send({1, SharedParts{{{0, 0, 0}}, true}});
       }},
      {"is another's already",
       [&](LocalPeer& peer) {
         peer.Send({1, open}, gradient_->fd());
         peer.Send({1, PullQuery{PullSelector::Latest(), 0, kLineage}});
       }},
      {"with a push alone",
       [&](LocalPeer& peer) {
         peer.Send({1, CancelCall{}}, gradient_->fd());
       }},
      {"has no version",
       [](LocalPeer& peer) {
         peer.Send({1, ReleaseVersion{}});
       }},
      {"is another's already",
       [](LocalPeer& peer) {
         const PullQuery waits{PullSelector::Exactly(Version(9)), 0, kLineage};
         peer.Send({1, waits});
         peer.Send({1, waits});
       }},
      {"at most 65536 bytes",
       [](LocalPeer& peer) { peer.SendBytes(std::string(kMostLocalMessageBytes + 1, 'x')); }},
  };
  const size_t files = OpenFiles();
  for (const Case& broken : cases) {
    LocalPeer peer(server_->name());
    broken.breaks(peer);
    EXPECT_THAT(Complaint(&peer), HasSubstr(broken.says));
  }
  // A peer hears that it is cut off just before its socket is closed.
  while (OpenFiles() > files) std::this_thread::yield();
  EXPECT_EQ(shard_.snapshots().Latest()->version, Version(0));
  LocalPeer peer(server_->name());
  EXPECT_TRUE(
      std::holds_alternative<PushReply>(Push(&peer, 1, PushOf(0), gradient_->fd()).content));
}

TEST_F(SharedPushTest, SoManyCallsMayBeOpen) {
  Begin();
  LocalPeer peer(server_->name());
  const PullQuery waits{PullSelector::Exactly(Version(9)), 0, kLineage};
  // Not past what a socket holds, if the server has no time for them.
  for (uint64_t call = 1; call <= LocalSession::kMostCalls + 1; ++call) {
    peer.Send({call, waits});
    if (call % 64 != 0 || call > LocalSession::kMostCalls) continue;
    peer.Send({5000 + call, PullQuery{PullSelector::Exactly(Version(99)), 0, kLineage}});
    if (call == LocalSession::kMostCalls) break;
    ASSERT_TRUE(peer.Receive().ok());
  }
  EXPECT_THAT(Complaint(&peer), HasSubstr("are open"));
}

// A session that the test drives, with a pool that it steps.
class DrivenSessionTest : public SharedPushTest {
 protected:
  DrivenSessionTest()
      : listener_(*LocalListener::Listen(server_->name() + "-driven")),
        peer_(server_->name() + "-driven") {
    parts_.shard = &shard_;
    parts_.incarnation = incarnation_;
    parts_.arenas = &arenas_;
    parts_.clock = &Clock::Real();
    parts_.watch = &watch_;
    parts_.leases = &leases_;
    parts_.segments = &segments_;
    parts_.pool = &copies_;
    session_ = std::make_shared<LocalSession>(parts_, **listener_.Accept());
  }

  const LocalListener listener_;
  LocalPeer peer_;
  LeaseBook leases_;
  std::atomic<size_t> segments_{0};
  ThreadPool copies_{0};
  LocalParts parts_;
  std::shared_ptr<LocalSession> session_;
};

TEST_F(DrivenSessionTest, APushWhosePeerHungUpBeforeItWasReadCountsForNothing) {
  Begin();
  peer_.Send({1, PushOf(0)}, gradient_->fd());
  ASSERT_TRUE(session_->Receive().ok());
  // From here on its memory may have other use.
  peer_.socket().Shutdown();
  ASSERT_TRUE(copies_.RunOne());
  session_->Close();
  EXPECT_TRUE(PushOverNetwork(GradientHeader(0)).ok());
  EXPECT_EQ(PushOverNetwork(GradientHeader(0))->outcome, PushOutcome::kDuplicate);
  session_.reset();
  EXPECT_EQ(segments_, 0U);
}

class OpenPushTest : public DrivenSessionTest {
 protected:
  static constexpr uint64_t kHalf = kElements / 2;

  // The second half of step 0's gradient is there, the first not yet. The first call brings the
  // segment's file.
  void OpenPush(uint64_t call) {
    SharedPush push = PushOf(0);
    push.part = {kHalf, kHalf, kHalf};
    push.more = true;
    peer_.Send({call, push}, call == 1 ? gradient_->fd() : -1);
    Receive();
  }
  void Send(uint64_t call, const SharedParts& parts) {
    peer_.Send({call, parts});
    Receive();
  }
  static SharedParts TheRest() { return {{{0, 0, kHalf}}, true}; }
  void Receive() {
    ASSERT_TRUE(session_->Receive().ok());
    while (copies_.RunOne()) {
    }
  }
  absl::Status Error() {
    const auto response = peer_.Receive();
    if (!response.ok()) return response.status();
    const auto* status = std::get_if<absl::Status>(&response->content);
    return status == nullptr ? absl::OkStatus() : *status;
  }
};

TEST_F(OpenPushTest, WhatIsFinalIsCopiedBeforeTheRestIsThere) {
  Begin();
  std::fill_n(Values(), kHalf, std::nanf(""));  // still being computed
  OpenPush(1);
  std::fill_n(Values(), kHalf, 0.5F);
  std::fill_n(Values() + kHalf, kHalf, std::nanf(""));  // nobody reads it again
  Send(1, TheRest());
  const auto answer = peer_.Receive();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->call, 1U);
  EXPECT_EQ(std::get<PushReply>(answer->content).outcome, PushOutcome::kAccepted);
  session_->Close();
  EXPECT_EQ(PushOverNetwork(GradientHeader(0))->outcome, PushOutcome::kDuplicate);
}

TEST_F(OpenPushTest, OneThatIsGivenUpIsAnsweredAndHasChangedNothing) {
  Begin();
  OpenPush(1);
  peer_.Send({1, CancelCall{}});
  Receive();
  EXPECT_TRUE(absl::IsCancelled(Error()));
  Send(1, TheRest());  // on its way already: nothing comes of it
  session_->Close();
  EXPECT_EQ(PushOverNetwork(GradientHeader(0))->outcome, PushOutcome::kAccepted);
}

TEST_F(OpenPushTest, OneWhosePeerIsGoneHasChangedNothing) {
  Begin();
  OpenPush(1);
  peer_.socket().Shutdown();
  session_->Close();
  EXPECT_EQ(PushOverNetwork(GradientHeader(0))->outcome, PushOutcome::kAccepted);
}

TEST_F(OpenPushTest, OneOfWhichNothingComesEndsIfOthersWaitForItsPlace) {
  Begin();
  OpenPush(1);
  watch_.EvictIdle(absl::ZeroDuration());
  while (copies_.RunOne()) {
  }
  EXPECT_TRUE(absl::IsUnavailable(Error()));
  session_->Close();
}

TEST_F(OpenPushTest, APartThatIsRefusedEndsItAndThePeerGoesOn) {
  Begin();
  OpenPush(1);
  Send(1, {{{kHalf, kHalf, 64}}, false});  // came before
  EXPECT_TRUE(absl::IsInvalidArgument(Error()));
  Send(1, TheRest());
  OpenPush(2);
  Send(2, TheRest());
  EXPECT_TRUE(Error().ok());
  session_->Close();
}

TEST_F(OpenPushTest, NothingComesAfterTheLast) {
  Begin();
  SharedPush push = PushOf(0);
  peer_.Send({1, push}, gradient_->fd());
  peer_.Send({1, TheRest()});
  EXPECT_TRUE(absl::IsInvalidArgument(session_->Receive()));
  EXPECT_THAT(std::string(Error().message()), HasSubstr("has had its last"));
  session_->Close();
  while (copies_.RunOne()) {
  }
  EXPECT_EQ(PushOverNetwork(GradientHeader(0))->outcome, PushOutcome::kAccepted);
}

TEST_F(DrivenSessionTest, APeersSegmentsAreBounded) {
  Begin();
  SharedPush push = PushOf(0);
  push.part.size = 0;  // refused, once it is known where it lies
  for (uint64_t i = 1; i <= PeerSegments::kMost; ++i) {
    push.segment.id = i;
    peer_.Send({i, push}, gradient_->fd());
    ASSERT_TRUE(session_->Receive().ok());
    const auto answer = peer_.Receive();
    ASSERT_TRUE(answer.ok());
    ASSERT_TRUE(std::holds_alternative<absl::Status>(answer->content)) << i;
  }
  EXPECT_EQ(segments_, PeerSegments::kMost);
  push.segment.id = 9999;
  peer_.Send({9999, push}, gradient_->fd());
  ASSERT_TRUE(session_->Receive().ok());
  EXPECT_TRUE(std::holds_alternative<ByNetwork>(peer_.Receive()->content));
}

}  // namespace
}  // namespace conadv
