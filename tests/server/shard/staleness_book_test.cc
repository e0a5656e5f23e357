// SPDX-License-Identifier: Apache-2.0
// How stale contributions were, where that arose, and what it did.
#include "server/shard/staleness_book.h"

#include <gtest/gtest.h>

#include <optional>
#include <vector>

#include "tests/support/streams.h"

namespace conadv {
namespace {

Contribution Of(uint64_t attack, uint64_t update, uint64_t came, StreamIndex stream) {
  Contribution contribution;
  contribution.worker = "a";
  contribution.stream = stream;
  contribution.attack_version = Version(attack);
  contribution.update_version = Version(update);
  contribution.newest_on_arrival = Version(came);
  return contribution;
}

TEST(StalenessBook, TheOriginsOfStalenessSumUpToIt) {
  StalenessBook book(4, CleanAndAdversarial());
  Contribution said = Of(1, 7, 7, kAdversarialStream);
  said.attack_origins = AttackOrigins{2, 1};
  const Contribution unsaid = Of(3, 8, 9, kAdversarialStream);
  book.AddApplied({Of(7, 7, 9, kCleanStream), said}, said.unit, Version(10), absl::UnixEpoch());
  book.AddApplied({Of(8, 8, 11, kCleanStream), unsaid}, said.unit, Version(11), absl::UnixEpoch());
  for (const StalenessBook::Worker& of : {book.all(), book.Read().workers.at("a")}) {
    const StalenessBook::Origins& origins = of.origins;
    EXPECT_EQ(origins.attack_lease, 2U);
    EXPECT_EQ(origins.attack_compute, 1U);
    EXPECT_EQ(origins.attack_queue, 3U);
    EXPECT_EQ(origins.attack_unsaid, 5U);
    EXPECT_EQ(of.attack.sum(), 2U + 1U + 3U + 5U);
    EXPECT_EQ(origins.update_compute, 5U);
    EXPECT_EQ(origins.update_apply, 1U);
    EXPECT_EQ(of.update.sum(), 5U + 1U);
  }
}

TEST(StalenessBook, KeepsTheMeanTheLeastAndTheNewestCosine) {
  StalenessBook book(4, CleanAndAdversarial());
  EXPECT_EQ(book.all().cosines.units, 0U);
  for (const std::optional<float> cosine :
       std::vector<std::optional<float>>{0.5F, std::nullopt, -0.25F, 0.75F}) {
    Contribution measured = Of(1, 2, 2, kAdversarialStream);
    measured.attack_cosine = cosine;
    book.AddApplied({Of(2, 2, 2, kCleanStream), measured}, measured.unit, Version(2),
                    absl::UnixEpoch());
  }
  const StalenessBook::Cosines cosines = book.all().cosines;
  EXPECT_EQ(cosines.units, 3U);
  EXPECT_DOUBLE_EQ(cosines.mean(), 1.0 / 3);
  EXPECT_EQ(cosines.least, -0.25);
  EXPECT_EQ(cosines.newest, 0.75);
}

}  // namespace
}  // namespace conadv
