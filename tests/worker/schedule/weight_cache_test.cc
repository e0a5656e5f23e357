// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/weight_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <deque>
#include <thread>

namespace conadv {
namespace {

// Pulls that the test answers; from any thread.
class FakeSource final : public WeightSource {
 public:
  void Pull(const PullSelector& selector, Done done) override {
    MutexLock lock(&mutex_);
    calls_.emplace_back(selector, std::move(done));
  }
  size_t open() {
    MutexLock lock(&mutex_);
    return calls_.size();
  }
  void Answer(absl::StatusOr<Version> version) {
    std::pair<PullSelector, Done> call;
    {
      MutexLock lock(&mutex_);
      call = std::move(calls_.front());
      calls_.pop_front();
    }
    if (!version.ok()) return call.second(version.status());
    call.second(VersionedWeights{*version, std::make_shared<Arena>(4)});
  }
  // Answers each exact pull with what it asked for.
  void AnswerNext() {
    Version version;
    {
      MutexLock lock(&mutex_);
      version = Version(calls_.front().first.value);
    }
    Answer(version);
  }

 private:
  Mutex mutex_;
  std::deque<std::pair<PullSelector, Done>> calls_ ABSL_GUARDED_BY(mutex_);
};

class WeightCacheTest : public ::testing::Test {
 protected:
  WeightCache::Done Count(int* answers) {
    return [answers](const absl::StatusOr<VersionedWeights>& weights) {
      if (weights.ok()) ++*answers;
    };
  }
  void Fetch(uint64_t version) {
    int answers = 0;
    cache_.Get(Version(version), WeightUse::kUpdate, Count(&answers));
    if (answers == 0) source_.AnswerNext();
    EXPECT_EQ(answers, 1);
  }
  bool Has(uint64_t version) {
    bool has = false;
    cache_.Get(Version(version), WeightUse::kUpdate,
               [&has](const absl::StatusOr<VersionedWeights>&) { has = true; });
    const bool result = has;
    if (!has) source_.Answer(absl::NotFoundError("only asked"));
    return result;
  }

  FakeSource source_;
  WorkerStatistics statistics_;
  WeightCache cache_{&source_, 3, &statistics_};
};

TEST_F(WeightCacheTest, AVersionIsPulledOnceHoweverManyAsk) {
  int answers = 0;
  for (int i = 0; i < 5; ++i) cache_.Get(Version(2), WeightUse::kUpdate, Count(&answers));
  EXPECT_EQ(source_.open(), 1);
  source_.AnswerNext();
  EXPECT_EQ(answers, 5);
  cache_.Get(Version(2), WeightUse::kUpdate, Count(&answers));
  EXPECT_EQ(answers, 6);
  EXPECT_EQ(source_.open(), 0);
}

TEST_F(WeightCacheTest, AnErrorReachesAllWhoWaitAndIsNotKept) {
  int errors = 0, answers = 0;
  for (int i = 0; i < 2; ++i) {
    cache_.Get(Version(2), WeightUse::kUpdate,
               [&errors](const absl::StatusOr<VersionedWeights>& weights) {
                 errors += absl::IsOutOfRange(weights.status()) ? 1 : 0;
               });
  }
  source_.Answer(absl::OutOfRangeError("evicted"));
  EXPECT_EQ(errors, 2);
  cache_.Get(Version(2), WeightUse::kUpdate, Count(&answers));
  source_.AnswerNext();
  EXPECT_EQ(answers, 1);
}

TEST_F(WeightCacheTest, TheOldestVersionGoesFirst) {
  for (const uint64_t version : {1, 2, 3, 4}) Fetch(version);
  EXPECT_FALSE(Has(1));
  EXPECT_TRUE(Has(2));
  EXPECT_TRUE(Has(3));
  EXPECT_TRUE(Has(4));
}

TEST_F(WeightCacheTest, TheLatestIsAskedEachTimeButKept) {
  int answers = 0;
  cache_.GetNow(PullSelector::Latest(), Count(&answers));
  cache_.GetNow(PullSelector::Latest(), Count(&answers));
  EXPECT_EQ(source_.open(), 1);
  source_.Answer(Version(7));
  EXPECT_EQ(answers, 2);
  cache_.GetNow(PullSelector::Latest(), Count(&answers));
  EXPECT_EQ(source_.open(), 1);
  source_.Answer(Version(8));
  EXPECT_TRUE(Has(7));
  EXPECT_TRUE(Has(8));
}

TEST_F(WeightCacheTest, ClearEndsTheWaitAndForgetsWhatIsUnderWay) {
  absl::Status told;
  cache_.Get(Version(1), WeightUse::kUpdate,
             [&told](const absl::StatusOr<VersionedWeights>& weights) { told = weights.status(); });
  cache_.Clear();
  EXPECT_TRUE(absl::IsCancelled(told));
  source_.AnswerNext();  // of the session before
  EXPECT_FALSE(Has(1));
}

TEST_F(WeightCacheTest, AttacksCountAsHitsIfTheVersionIsThereOrOnItsWay) {
  int answers = 0;
  cache_.Get(Version(1), WeightUse::kUpdate, Count(&answers));
  cache_.Get(Version(1), WeightUse::kAttack, Count(&answers));  // on its way
  source_.AnswerNext();
  cache_.Get(Version(1), WeightUse::kAttack, Count(&answers));  // there
  cache_.Get(Version(0), WeightUse::kAttack, Count(&answers));  // pulled
  source_.AnswerNext();
  const WorkerTotals totals = statistics_.totals();
  EXPECT_EQ(answers, 4);
  EXPECT_EQ(totals.attack_cache_hits, 2);
  EXPECT_EQ(totals.attack_pulls, 1);
  EXPECT_EQ(totals.cached_bytes, 2 * 4 * sizeof(float));
}

TEST_F(WeightCacheTest, EveryAskerIsAnsweredOnceUnderConcurrency) {
  constexpr int kThreads = 4, kAsks = 500;
  std::atomic<int> answers{0};
  std::atomic<bool> asked{false};
  std::thread server([&] {
    while (!asked || source_.open() > 0) {
      if (source_.open() > 0) source_.AnswerNext();
    }
  });
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kAsks; ++i) {
        const Version version((i + t) % 7);
        cache_.Get(version, WeightUse::kUpdate,
                   [&answers, version](const absl::StatusOr<VersionedWeights>& weights) {
                     ASSERT_TRUE(weights.ok());
                     ASSERT_EQ(weights->version, version);
                     ++answers;
                   });
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  asked = true;
  server.join();
  EXPECT_EQ(answers, kThreads * kAsks);
}

}  // namespace
}  // namespace conadv
