// SPDX-License-Identifier: Apache-2.0
// What people and programs read: JSON, results and the inspecting commands' text.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "cli/json_output.h"
#include "cli/render.h"
#include "cli/run_result.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr absl::Time kNow = absl::FromUnixSeconds(1000);

TEST(JsonOutput, NumbersAreNumbersAndDefaultsAreThere) {
  v1::StatusResponse status;
  status.set_version(uint64_t{1} << 60);
  status.set_phase(v1::StatusResponse::TRAINING);
  status.set_incarnation(0xabc);
  status.add_servers("a:1");
  const auto json = nlohmann::json::parse(JsonLine(ToJson(status)));
  EXPECT_EQ(json["version"], uint64_t{1} << 60);
  EXPECT_EQ(json["phase"], "TRAINING");
  EXPECT_EQ(json["incarnation"], "0000000000000abc");
  EXPECT_EQ(json["servers"][0], "a:1");
  EXPECT_EQ(json["step"], 0);
  EXPECT_EQ(json["checkpoint_error"], "");
  EXPECT_TRUE(json["last_evaluation"].is_null());
}

TEST(JsonOutput, OfAOneofOnlyWhatIsSet) {
  v1::MetricsRecord record;
  record.mutable_step()->set_clean_loss(0.25);
  const auto json = nlohmann::json::parse(JsonLine(ToJson(record)));
  EXPECT_EQ(json["step"]["clean_loss"], 0.25);
  EXPECT_FALSE(json.contains("evaluation"));
}

TEST(JsonOutput, WhatIsNotANumberIsNullAndWhatIsNotTextIsReplaced) {
  v1::StatusResponse status;
  status.set_clean_loss(std::numeric_limits<double>::quiet_NaN());
  EXPECT_TRUE(nlohmann::json::parse(JsonLine(ToJson(status)))["clean_loss"].is_null());
  EXPECT_THAT(JsonLine({{"name", "\xff"}}), Not(HasSubstr("\xff")));
}

TEST(RunResult, TheJsonLineHasEveryFieldAndNullForWhatWasNotMeasured) {
  RunResult result;
  result.steps = 10;
  result.version = 40;
  result.clean_accuracy = 0.875;
  result.weights_crc32c = 0xabcdef;
  const std::string line = ResultJson(result, "out/a");
  EXPECT_THAT(line, Not(HasSubstr("\n")));
  const auto json = nlohmann::json::parse(line);
  EXPECT_EQ(json["steps"], 10);
  EXPECT_EQ(json["version"], 40);
  EXPECT_EQ(json["clean_accuracy"], 0.875);
  EXPECT_TRUE(json["robust_accuracy"].is_null());
  EXPECT_EQ(json["out"], "out/a");
  EXPECT_EQ(json["weights_crc32c"], "00abcdef");
  EXPECT_TRUE(json.contains("seconds") && json.contains("examples_per_second"));
}

TEST(RunResult, TheTextSaysHowRobustnessWasMeasuredAndWhereThingsAre) {
  RunResult result;
  result.robust_accuracy = 0.7;
  Job job;
  job.evaluation.attack_steps = 5;
  job.evaluation.epsilon = 8.0F / 255;
  EXPECT_THAT(ResultText(result, job, "out/a"),
              AllOf(HasSubstr("0.7000  (PGD-5, epsilon 8/255)"), HasSubstr("not measured"),
                    HasSubstr("out/a/weights.safetensors")));
}

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
  worker->mutable_stats()->set_pulled_bytes(3 << 20);
  worker->set_duplicates(3);
  v1::VersionContributors* version = staleness.add_versions();
  version->set_version(7);
  version->add_contributors()->set_worker("worker-0");
  version->mutable_contributors(0)->set_slots(4);
  const std::string text = RenderStaleness(staleness, kNow);
  EXPECT_THAT(text, AllOf(HasSubstr("attack staleness: mean 1.00, p50 1, p99 1, max 1 (640 contr"),
                          HasSubstr("  1  ######"), HasSubstr("update staleness: nothing yet")));
  EXPECT_THAT(text, AllOf(HasSubstr("worker-0 (gone)"), HasSubstr("1.5 s"), HasSubstr("3.0 MiB"),
                          HasSubstr("worker-0 x 4")));
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
