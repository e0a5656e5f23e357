// SPDX-License-Identifier: Apache-2.0
// How a run ends: with its final weights, by an interrupt, or because a disk stays full.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "cli/run/run_machine.h"
#include "common/program/exit_code.h"
#include "tests/cli/run/fake_run.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr ExitStatus kError = {1, 0};
constexpr ExitStatus kKilled = {0, 9};
const absl::Status kFull = absl::ResourceExhaustedError("no space left");

void WorkersLeave(FakeRun* run) {
  for (const char* name : {"evaluator", "worker-0", "worker-1"}) run->Exit(name, {});
}

TEST(RunEnd, TheWeightsAreFetchedAndEverybodyLeavesByItself) {
  FakeRun run;
  run.FinishTraining();
  EXPECT_EQ(run.Count("fetch 30s"), 1);
  run.Fetched(10);
  EXPECT_EQ(run.Count("stop metrics"), 1);
  EXPECT_EQ(run.Count("leave"), 0) << "our membership keeps the coordinator there";
  WorkersLeave(&run);
  EXPECT_EQ(run.Count("leave"), 1);
  run.Exit("server-0", {});
  ASSERT_TRUE(run.over());
  ASSERT_TRUE(run.result->ok()) << run.result->status();
  EXPECT_EQ((*run.result)->version, 10U);
  EXPECT_EQ((*run.result)->weights_crc32c, 0xabcU);
  EXPECT_EQ((*run.result)->clean_accuracy, 0.5);
  EXPECT_EQ((*run.result)->seconds, 10);
  EXPECT_THAT((*run.result)->problems, IsEmpty());
}

TEST(RunEnd, AFullDiskIsWaitedForAndTheWeightsAreWrittenOnceThereIsRoom) {
  FakeRun run;
  run.FinishTraining();
  run.Fetched(10, kFull);
  EXPECT_TRUE(
      run.Said("the run is done, but the final weights cannot be written: no space left; trying "
               "again for 10m (conadv pull --server=127.0.0.1:7000 --out=FILE writes the weights "
               "elsewhere meanwhile)"));
  for (int i = 0; i < 5; ++i) {
    run.Pass(absl::Seconds(10));
    EXPECT_EQ(run.Count("fetch 30s"), i + 2);
    run.Fetched(10, kFull);
  }
  EXPECT_THAT(run.running, ElementsAre("evaluator", "server-0", "worker-0", "worker-1"))
      << "the servers keep the weights";
  EXPECT_EQ(run.notes.size(), 2U) << "it is said once";
  run.Pass(absl::Seconds(10));
  run.Fetched(10);
  EXPECT_EQ(run.notes.back(), "the results are written");
  WorkersLeave(&run);
  run.Exit("server-0", {});
  ASSERT_TRUE(run.over());
  EXPECT_TRUE(run.result->ok()) << run.result->status();
}

TEST(RunEnd, LastRecordsThatCannotBeWrittenAreWaitedForToo) {
  FakeRun run;
  run.FinishTraining();
  run.metrics_disk = kFull;
  run.Fetched(10);
  EXPECT_TRUE(run.Said("the run is done, but its last records cannot be written: no space left"));
  run.metrics_disk = absl::OkStatus();
  run.Pass(absl::Seconds(10));
  run.Fetched(10);
  EXPECT_TRUE(run.Said("the results are written"));
}

TEST(RunEnd, ADiskThatStaysFullEndsTheRunAndItSaysHowToGoOn) {
  FakeRun run;
  run.checkpoint = 8;
  run.FinishTraining();
  for (int i = 0; i < 200 && !run.over(); ++i) {
    run.Fetched(10, kFull);
    run.Pass(absl::Seconds(10));
  }
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(),
            "the final weights could not be written for 10m: no space left; conadv train "
            "--resume=out/a goes on from version 8");
  EXPECT_GE(run.now - absl::UnixEpoch(), absl::Minutes(10));
}

TEST(RunEnd, RecordsThatStayUnwrittenAreAProblemOfARunThatHasItsWeights) {
  FakeRun run;
  run.FinishTraining();
  run.metrics_disk = kFull;
  for (int i = 0; i < 200 && run.Count("stop metrics") == 0; ++i) {
    run.Fetched(10);
    run.Pass(absl::Seconds(10));
  }
  run.Pass(absl::Minutes(2));
  ASSERT_TRUE(run.over());
  ASSERT_TRUE(run.result->ok());
  EXPECT_EQ((*run.result)->problems.front(), "out/a/metrics.jsonl lacks 3 records: no space left");
}

TEST(RunEnd, TheRunThatGoesBackDropsWhatWasPulledInVain) {
  FakeRun run;
  run.FinishTraining();
  run.Exit("worker-0", {});
  run.membership.closed = true;
  run.membership.status = absl::UnavailableError("gone");
  run.Pass(absl::Seconds(1));
  EXPECT_EQ(run.Count("join again"), 1);
  EXPECT_EQ(run.Count("start worker-0"), 2) << "there may be work again";
  run.membership.joined = run.membership.finished = true;
  run.Fetched(10);
  EXPECT_EQ(run.Count("stop metrics"), 0) << "the weights may be of a lineage that is over";
  run.Pass(absl::Seconds(1));
  EXPECT_EQ(run.Count("fetch 30s"), 2);
  run.Fetched(10);
  EXPECT_EQ(run.Count("stop metrics"), 1);
}

TEST(RunEnd, WeightsOfAServerThatIsAwayAreFetchedAgainAndSlowOnesGetMoreTime) {
  FakeRun run;
  run.FinishTraining();
  run.Step(WeightsFetched{absl::UnavailableError("server-0 is away"), 0, 0, {}});
  EXPECT_TRUE(run.Said("the final weights are not there yet: server-0 is away"));
  run.Pass(absl::Seconds(1));
  run.Step(WeightsFetched{absl::DeadlineExceededError("slow"), 0, 0, {}});
  run.Pass(absl::Seconds(1));
  EXPECT_EQ(run.Count("fetch 30s"), 2);
  EXPECT_EQ(run.Count("fetch 1m"), 1);
}

TEST(RunEnd, WeightsThatCannotBeHadEndTheRun) {
  FakeRun run;
  run.FinishTraining();
  run.Step(WeightsFetched{absl::DataLossError("shard 1 gave version 9"), 0, 0, {}});
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(),
            "the final weights are not there: shard 1 gave version 9");
}

TEST(RunEnd, TheLastRecordsHaveFiveSeconds) {
  FakeRun run;
  run.Train(9);
  run.membership.finished = true;
  run.Step(Tick{});
  run.Fetched(10);
  run.Pass(absl::Seconds(4));
  EXPECT_EQ(run.Count("stop metrics"), 0);
  run.Pass(absl::Seconds(2));
  EXPECT_EQ(run.Count("stop metrics"), 1);
  run.Pass(absl::Minutes(2));
  ASSERT_TRUE(run.over() && run.result->ok());
  EXPECT_EQ((*run.result)->problems.front(),
            "out/a/metrics.jsonl lacks what comes after version 9");
}

TEST(RunEnd, AWorkerThatFailsAfterItsWorkIsAProblemAndNoReasonToStartItAgain) {
  FakeRun run;
  run.FinishTraining();
  run.Exit("worker-0", kError);
  run.Exit("worker-1", kKilled);
  run.Fetched(10);
  run.Exit("evaluator", kError);
  run.Exit("server-0", {});
  ASSERT_TRUE(run.over() && run.result->ok());
  EXPECT_EQ(run.Count("start worker-0"), 1);
  EXPECT_THAT((*run.result)->problems,
              ElementsAre("worker-0 ended with exit code 1 after its work was done",
                          "evaluator ended with exit code 1 after the run"));
}

TEST(RunEnd, ARunThatLostItsEvaluatorSaysSo) {
  FakeRun run;
  run.Train(9);
  run.Exit("evaluator", {2, 0}, "no such data set");
  run.Records(10, 10);
  run.membership.finished = true;
  run.Step(Tick{});
  run.Fetched(10);
  run.Pass(absl::Minutes(2));
  ASSERT_TRUE(run.over() && run.result->ok());
  EXPECT_EQ((*run.result)->problems.front(),
            "there is no final evaluation: evaluator ended with exit code 2: no such data set");
}

TEST(RunEnd, WhoDoesNotLeaveIsStoppedTheWorkersFirst) {
  FakeRun run;
  run.FinishTraining();
  run.Fetched(10);
  run.deaf = {"worker-1", "server-0"};
  run.Pass(absl::Seconds(11));
  EXPECT_TRUE(run.Said("worker-0 does not end by itself; ending it"));
  EXPECT_EQ(run.Count("kill worker-1"), 0);
  run.Pass(absl::Seconds(5));
  EXPECT_EQ(run.Count("kill worker-1"), 1);
  EXPECT_EQ(run.Count("leave"), 1);
  run.Pass(absl::Seconds(36));
  ASSERT_TRUE(run.over() && run.result->ok());
  EXPECT_EQ(run.Count("kill server-0"), 1);
  EXPECT_THAT((*run.result)->problems, ElementsAre("server-0 did not end by itself after the run"));
}

TEST(RunEnd, AServerThatIsKilledAfterTheRunIsNoProblemOfTheOthers) {
  FakeRun run(/*servers=*/2, /*workers=*/2);
  run.FinishTraining();
  run.Fetched(10);
  WorkersLeave(&run);
  run.Exit("server-1", kKilled);
  ASSERT_TRUE(run.over() && run.result->ok());
  EXPECT_EQ(run.Count("terminate server-0"), 1);
  EXPECT_THAT((*run.result)->problems, IsEmpty());
}

TEST(RunEnd, AnInterruptAsksForACheckpointFirstAndSaysHowToGoOn) {
  FakeRun run;
  run.Train(5);
  run.deaf = {"server-0"};
  run.Step(Interrupted{});
  EXPECT_TRUE(run.Said("saving a checkpoint, then stopping; interrupt again to stop at once"));
  EXPECT_THAT(run.running, ElementsAre("evaluator", "server-0", "worker-0", "worker-1"))
      << "the workers go on until the checkpoint is there";
  EXPECT_EQ(run.Count("terminate server-0"), 1);
  run.checkpoint = 5;
  run.Exit("server-0", {});
  EXPECT_FALSE(run.over()) << "what the last updates said is on its way";
  run.Step(MetricsArrived{{}, 10, /*may_have_more=*/false});
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status(),
            StoppedBySignal(SIGINT,
                            "interrupted; the run has been stopped; conadv train "
                            "--resume=out/a goes on from version 5"));
}

TEST(RunEnd, ASecondInterruptDoesNotWaitForTheCheckpoint) {
  FakeRun run;
  run.Train(5);
  run.deaf = {"server-0"};
  run.Step(Interrupted{});
  run.Step(Interrupted{});
  run.Pass(absl::Seconds(3));
  EXPECT_THAT(run.running, ElementsAre("server-0"));
  run.Step(Interrupted{});
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.Count("kill server-0"), 1);
  EXPECT_EQ(run.result->status(), StoppedBySignal(SIGINT, "interrupted; the run has been stopped"));
}

TEST(RunEnd, ACheckpointThatTakesTooLongIsNotWaitedFor) {
  FakeRun run;
  run.Train(5);
  run.deaf = {"server-0"};
  run.Step(Interrupted{});
  run.Pass(absl::Seconds(19));
  EXPECT_EQ(run.running.size(), 4U);
  run.Pass(absl::Seconds(10));
  EXPECT_TRUE(run.over());
}

TEST(RunEnd, AnInterruptBeforeTheFirstUpdateStopsAtOnce) {
  FakeRun run;
  run.Step(Interrupted{});
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status(), StoppedBySignal(SIGINT, "interrupted; the run has been stopped"));
}

TEST(RunEnd, AnInterruptedRunSaysWhichRecordsItsDiskDidNotTake) {
  FakeRun run;
  run.metrics_disk = kFull;
  run.Train(5);
  run.Step(Interrupted{});
  run.Pass(absl::Seconds(3));
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(),
            "interrupted; the run has been stopped; out/a/metrics.jsonl lacks what comes after "
            "version 5: no space left");
}

}  // namespace
}  // namespace conadv
