// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/staleness_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "cli/format/tables.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Time kStart = absl::FromUnixSeconds(1000);

// `counts` contributions of each staleness from 0 on.
v1::Histogram Counts(const std::vector<uint64_t>& counts) {
  v1::Histogram histogram;
  for (uint64_t staleness = 0; staleness < counts.size(); ++staleness) {
    if (counts[staleness] == 0) continue;
    v1::Histogram::Bucket* const bucket = histogram.add_buckets();
    bucket->set_low(staleness);
    bucket->set_high(staleness);
    bucket->set_count(counts[staleness]);
    histogram.set_count(histogram.count() + counts[staleness]);
    histogram.set_sum(histogram.sum() + counts[staleness] * staleness);
    histogram.set_max(staleness);
  }
  return histogram;
}

v1::StalenessResponse Answer(uint64_t version, const std::vector<uint64_t>& attack, int workers) {
  v1::StalenessResponse answer;
  answer.set_version(version);
  *answer.mutable_attack_staleness() = Counts(attack);
  *answer.mutable_update_staleness() = Counts({attack.front()});
  for (int i = 0; i < workers; ++i) {
    v1::WorkerStaleness* const worker = answer.add_workers();
    worker->set_worker_id(i);
    worker->set_name(absl::StrCat("worker-", i));
    worker->set_present(true);
    worker->mutable_update_staleness()->set_count(10 * version);
    *worker->mutable_attack_staleness() = Counts(attack);
  }
  for (uint64_t made = version < 20 ? 1 : version - 19; made <= version; ++made) {
    answer.add_versions()->set_version(made);
  }
  return answer;
}

std::string Screen(const StalenessView& view, size_t columns = 120, size_t rows = 40,
                   absl::string_view note = "") {
  return absl::StrJoin(view.Lines(columns, rows, kStart, note), "\n");
}

TEST(StalenessView, NowIsWhatCameSinceTheLookBefore) {
  StalenessView view;
  view.Add(Answer(10, {10}, 1), kStart);
  view.Add(Answer(20, {10, 0, 5, 5}, 1), kStart + absl::Seconds(4));
  const std::string screen = Screen(view);
  EXPECT_THAT(screen, HasSubstr("version 20, 2.5 a second"));
  EXPECT_THAT(screen, HasSubstr("ATTACK now 2.50 mean 1.25"));
  EXPECT_THAT(screen, HasSubstr("UPDATE now - mean 0.00"));
  EXPECT_THAT(screen, HasSubstr("25.0")) << "contributions a second of a worker";
}

TEST(StalenessView, AServerThatCountsAnewIsNoNegativeStaleness) {
  StalenessView view;
  view.Add(Answer(10, {10, 10}, 1), kStart);
  view.Add(Answer(8, {1, 1}, 1), kStart + absl::Seconds(1));
  EXPECT_THAT(Screen(view), AllOf(HasSubstr("version 8;"), HasSubstr("now 0.50")));
}

TEST(StalenessView, ATimeIsSharedOutBetweenTwoReportsAndStaysUntilTheNext) {
  StalenessView view;
  v1::StalenessResponse answer = Answer(1, {1}, 1);
  v1::WorkerStats* const stats = answer.mutable_workers(0)->mutable_stats();
  stats->set_busy_seconds(10);
  view.Add(answer, kStart);
  stats->set_busy_seconds(11);
  stats->set_wait_push_seconds(3);
  view.Add(answer, kStart + absl::Seconds(1));
  EXPECT_THAT(Screen(view), AllOf(HasSubstr("25 %"), HasSubstr("75 %")));
  view.Add(answer, kStart + absl::Seconds(2));
  EXPECT_THAT(Screen(view), AllOf(HasSubstr("25 %"), HasSubstr("75 %")));
}

TEST(StalenessView, FitsAnyScreen) {
  StalenessView view;
  EXPECT_THAT(Screen(view), HasSubstr("version 0"));
  for (int look = 1; look < 200; ++look) {
    view.Add(Answer(look, std::vector<uint64_t>(30, look), 50), kStart + absl::Seconds(look));
  }
  for (size_t columns = 0; columns < 150; columns += 7) {
    for (size_t rows = 0; rows < 70; ++rows) {
      for (const char* note : {"", "waiting for server-0"}) {
        const auto lines = view.Lines(columns, rows, kStart, note);
        EXPECT_LE(lines.size(), rows);
        for (const std::string& line : lines) EXPECT_LE(DisplayWidth(line), columns) << line;
        if (rows > 0 && columns > 30 && *note != '\0') {
          EXPECT_EQ(lines.back(), note);
        }
      }
    }
  }
  EXPECT_THAT(Screen(view, 120, 24), AllOf(HasSubstr("VERSION"), HasSubstr("WORKER"),
                                           HasSubstr("more"), HasSubstr("ATTACK")));
}

TEST(StalenessView, WhatOthersWroteCannotMoveTheCursor) {
  StalenessView view;
  v1::StalenessResponse answer = Answer(1, {1}, 1);
  answer.mutable_workers(0)->set_name("w\033[2J\n");
  view.Add(answer, kStart);
  for (const std::string& line : view.Lines(120, 40, kStart, "why\n\033[2J")) {
    EXPECT_FALSE(absl::StrContains(line, '\033')) << line;
    EXPECT_FALSE(absl::StrContains(line, '\n')) << line;
  }
}

TEST(StalenessView, WhoIsGoneIsNotShown) {
  StalenessView view;
  v1::StalenessResponse answer = Answer(1, {1}, 2);
  answer.mutable_workers(1)->set_present(false);
  view.Add(answer, kStart);
  EXPECT_THAT(Screen(view), AllOf(HasSubstr("worker-0"), Not(HasSubstr("worker-1"))));
}

}  // namespace
}  // namespace conadv
