// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/render.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Time kNow = absl::FromUnixSeconds(1000);

v1::Histogram Ones(uint64_t count) {
  v1::Histogram histogram;
  v1::Histogram::Bucket* bucket = histogram.add_buckets();
  bucket->set_low(1);
  bucket->set_high(1);
  bucket->set_count(count);
  histogram.set_count(count);
  histogram.set_sum(count);
  histogram.set_p50(1);
  histogram.set_p99(1);
  histogram.set_max(1);
  return histogram;
}

TEST(Render, StalenessHasHistogramsInAllAndByWorkerWaitsBytesAndContributors) {
  v1::StalenessResponse staleness;
  *staleness.mutable_attack_staleness() = Ones(640);
  v1::WorkerStaleness* worker = staleness.add_workers();
  worker->set_name("worker-0");
  *worker->mutable_attack_staleness() = Ones(320);
  worker->mutable_stats()->set_wait_push_seconds(1.5);
  worker->mutable_stats()->set_wait_data_seconds(2.5);
  worker->mutable_stats()->set_pulled_bytes(3 << 20);
  worker->set_duplicates(3);
  v1::VersionContributors* version = staleness.add_versions();
  version->set_version(7);
  version->add_contributors()->set_worker("worker-0");
  version->mutable_contributors(0)->set_slots(4);
  const std::string text = RenderStaleness(staleness, kNow);
  EXPECT_THAT(text, AllOf(HasSubstr("attack staleness: mean 1.00, p50 1, p99 1, max 1 (640 contr"),
                          HasSubstr("  1  ######"), HasSubstr("update staleness: nothing yet")));
  EXPECT_THAT(text, AllOf(HasSubstr("worker-0 (gone)"), HasSubstr("1.5 s"), HasSubstr("2.5 s"),
                          HasSubstr("3.0 MiB"), HasSubstr("worker-0 x 4")));
}

TEST(Render, StalenessSaysWhereItAroseAndWhatItDid) {
  v1::StalenessResponse staleness;
  *staleness.mutable_attack_staleness() = Ones(200);
  *staleness.mutable_update_staleness() = Ones(200);
  staleness.mutable_origins()->set_attack_lease(50);
  staleness.mutable_origins()->set_attack_queue(150);
  staleness.mutable_origins()->set_update_compute(200);
  EXPECT_THAT(RenderStaleness(staleness, kNow),
              AllOf(HasSubstr("arose in: lease 0.25, queue 0.75, compute 0.00\n"),
                    HasSubstr("arose in: compute 1.00, apply 0.00\n"), Not(HasSubstr("cosine"))));
  staleness.mutable_origins()->set_attack_unsaid(2);
  v1::AttackCosine* const cosine = staleness.mutable_attack_cosine();
  cosine->set_units(12);
  cosine->set_mean(0.875);
  cosine->set_least(-0.5);
  cosine->set_newest(0.75);
  EXPECT_THAT(RenderStaleness(staleness, kNow),
              AllOf(HasSubstr("compute 0.00, unsaid 0.01\n"),
                    HasSubstr("attack cosine: mean 0.875, least -0.500, newest 0.750 (12 units")));
}

TEST(Render, StatusSaysWhatItWaitsForAndEscapesIt) {
  v1::StatusResponse status;
  status.set_job("fashion-mnist");
  status.set_phase(v1::StatusResponse::WAITING_FOR_WORKERS);
  status.set_message("no worker\033[2J");
  EXPECT_THAT(RenderStatus(status),
              AllOf(HasSubstr("waiting for workers"), HasSubstr("no worker\\x1b[2J")));
}

TEST(Render, StatusSaysSinceWhenItCountsTheTime) {
  v1::StatusResponse status;
  status.set_seconds(83);
  EXPECT_THAT(RenderStatus(status), Not(HasSubstr("since")));
  status.set_restored_version(240);
  EXPECT_THAT(RenderStatus(status), HasSubstr("1:23 since the run went on from version 240"));
}

TEST(Render, StatusShowsWhatAnEvaluationFoundAndWhatToBelieveOfIt) {
  v1::StatusResponse status;
  v1::ReportRequest* const evaluation = status.mutable_last_evaluation();
  for (const char* name : {"APGD-CE", "Squa\033re"}) {
    v1::NamedAccuracy* const attack = evaluation->add_attacks();
    attack->set_name(name);
    attack->set_accuracy(0.5);
  }
  evaluation->add_corruptions()->set_name("fog");
  evaluation->add_warnings("masked");
  EXPECT_THAT(RenderStatus(status),
              AllOf(HasSubstr("APGD-CE 0.5000, Squa\\x1bre 0.5000"), HasSubstr("fog 0.0000"),
                    HasSubstr("warning        masked")));
}

TEST(Render, WorkersAndSnapshotsAreTables) {
  v1::WorkersResponse workers;
  workers.add_members()->set_name("host-1");
  for (uint64_t step = 0; step < 6; ++step) {
    workers.mutable_members(0)->add_leased()->set_step(step);
  }
  EXPECT_THAT(RenderWorkers(workers),
              AllOf(HasSubstr("host-1"), HasSubstr("worker"), HasSubstr("(3, 0) and 2 more")));
  v1::SnapshotsResponse snapshots;
  snapshots.add_snapshots()->set_published_unix_micros(998'500'000);
  EXPECT_THAT(RenderSnapshots(snapshots, kNow), HasSubstr("1.5 s"));
}

}  // namespace
}  // namespace conadv
