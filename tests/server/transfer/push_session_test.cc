// SPDX-License-Identifier: Apache-2.0
#include "server/transfer/push_session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/server/transfer/transfer_fixture.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST_F(TransferTest, APushInPartsIsAcceptedOnceItIsWhole) {
  const auto session = NewPush();
  ASSERT_TRUE(session->Add(ChunkOf(InitialHeader(), 0, 16)).ok());
  ASSERT_TRUE(session->Add(ChunkOf("", 16, 32)).ok());
  const auto reply = Finish(*session);
  ASSERT_TRUE(reply.ok()) << reply.status();
  EXPECT_EQ(reply->outcome, PushOutcome::kAccepted);
  EXPECT_EQ(reply->incarnation, kProcess);
  EXPECT_EQ(shard_.snapshots().Latest()->weights->data()[47], 0.5F);
}

TEST_F(TransferTest, ChunksInAnyOrderMakeAPush) {
  values_[3] = 3;
  values_[40] = 40;
  const auto session = NewPush();
  ASSERT_TRUE(session->Add(ChunkOf(InitialHeader(), 32, 16)).ok());
  ASSERT_TRUE(session->Add(ChunkOf("", 0, 16)).ok());
  ASSERT_TRUE(session->Add(ChunkOf("", 16, 16)).ok());
  ASSERT_TRUE(Finish(*session).ok());
  EXPECT_EQ(shard_.snapshots().Latest()->weights->data()[3], 3);
  EXPECT_EQ(shard_.snapshots().Latest()->weights->data()[40], 40);
}

TEST_F(TransferTest, ChunksThatMakeNoWholeAreRefusedAndChangeNothing) {
  const auto refused = [this](const std::vector<Chunk>& chunks) {
    const auto session = NewPush();
    absl::Status status;
    for (const Chunk& chunk : chunks) {
      if (status.ok()) status = session->Add(chunk);
    }
    return absl::IsInvalidArgument(status);
  };
  const std::string header = InitialHeader();
  EXPECT_TRUE(refused({ChunkOf("", 0, 16)})) << "no header";
  EXPECT_TRUE(refused({ChunkOf(header, 0, 16), ChunkOf("", 32, 16), ChunkOf("", 8, 16)}))
      << "some of it twice";
  EXPECT_TRUE(refused({ChunkOf(header, 49, 0)})) << "beyond the end";
  EXPECT_TRUE(refused({ChunkOf(header, 0, 16), ChunkOf(header, 16, 16)})) << "two headers";
  EXPECT_TRUE(refused({ChunkOf(header, 0, 64)})) << "too many";
  Chunk odd = ChunkOf(header, 0, 16);
  odd.payload_size -= 1;
  EXPECT_TRUE(refused({odd})) << "part of an element";
  EXPECT_FALSE(shard_.snapshots().Latest().ok());
}

TEST_F(TransferTest, APushThatBreaksOffIsRefusedWithHowFarItCame) {
  const auto session = NewPush();
  ASSERT_TRUE(session->Add(ChunkOf(InitialHeader(), 0, 16)).ok());
  EXPECT_THAT(std::string(Finish(*session).status().message()),
              HasSubstr("with 32 of 48 elements missing"));
  EXPECT_THAT(std::string(Finish(*NewPush()).status().message()), HasSubstr("no header"));
}

TEST_F(TransferTest, ADuplicateIsKnownByItsHeader) {
  Begin();
  ASSERT_TRUE(PushStep(0).ok());
  const auto session = NewPush();
  ASSERT_TRUE(session->Add(ChunkOf(GradientHeader(0), 0, 16)).ok());
  EXPECT_TRUE(session->is_duplicate());
  EXPECT_EQ(session->Reply(PushOutcome::kDuplicate).latest, Version(1));
}

TEST_F(TransferTest, APushThatStandsStillIsEvictedUntilItIsClosed) {
  const auto idle = NewPush();
  const auto closed = NewPush();
  const auto progresses = NewPush();
  for (PushSession* session : {idle.get(), closed.get(), progresses.get()}) {
    ASSERT_TRUE(session->Add(ChunkOf(InitialHeader(), 0, 16)).ok());
  }
  closed->Close();
  clock_.now += absl::Seconds(9);
  ASSERT_TRUE(progresses->Add(ChunkOf("", 16, 16)).ok());
  clock_.now += absl::Seconds(2);
  watch_.EvictIdle(absl::Seconds(10));
  EXPECT_EQ(evicted_, 1);
}

TEST_F(TransferTest, APushOfBfloat16IsKeptAsFloat32) {
  std::vector<uint16_t> packed(48, 0x3f40);  // 0.75
  const auto session = NewPush();
  Chunk chunk = ChunkOf(EncodePushHeader({0, kLineage, "w", std::make_shared<const Plan>(plan_),
                                          ElementType::kBfloat16}),
                        0, 24);
  chunk.payload = {
      Segment(reinterpret_cast<const uint8_t*>(packed.data()), packed.size() * sizeof(uint16_t))};
  ASSERT_TRUE(session->Add(chunk).ok());
  ASSERT_TRUE(Finish(*session).ok());
  EXPECT_EQ(shard_.snapshots().Latest()->weights->data()[0], 0.75F);
  EXPECT_EQ(shard_.snapshots().Latest()->weights->data()[30], 0.75F);
}

TEST_F(TransferTest, AValueThatIsNoNumberIsFoundWhereverChunksBegin) {
  Begin();
  for (const size_t bad : {0, 5, 6, 20, 29, 30, 47}) {
    values_[bad] = std::numeric_limits<float>::infinity();
    const auto session = NewPush();
    absl::Status status = session->Add(ChunkOf(GradientHeader(0), 30, 18));
    if (status.ok()) status = session->Add(ChunkOf("", 0, 6));
    if (status.ok()) status = session->Add(ChunkOf("", 6, 24));
    if (status.ok()) status = Finish(*session).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << bad;
    values_[bad] = 0.5F;
  }
  EXPECT_TRUE(PushStep(0).ok()) << "they have changed nothing";
}

TEST_F(TransferTest, AValueThatIsNoNumberEndsThePushBeforeTheRestHasCome) {
  Begin();
  values_[20] = std::numeric_limits<float>::quiet_NaN();
  const auto session = NewPush();
  ASSERT_TRUE(session->Add(ChunkOf(GradientHeader(0), 0, 16)).ok());
  const absl::Status status = session->Add(ChunkOf("", 16, 16));
  EXPECT_TRUE(absl::IsInvalidArgument(status));
  EXPECT_THAT(std::string(status.message()), HasSubstr("nan"));
  values_[20] = 0.5F;
  EXPECT_TRUE(PushStep(0).ok()) << "it has changed nothing";
}

}  // namespace
}  // namespace conadv
