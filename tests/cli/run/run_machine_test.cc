// SPDX-License-Identifier: Apache-2.0
// What a run does about its processes and its members, from the first server to the last update.
#include "cli/run/run_machine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/cli/run/fake_run.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::SizeIs;

constexpr ExitStatus kFailed = {1, 0};
constexpr ExitStatus kBySignal = {0, 9};

TEST(RunMachine, TheOthersStartOnceShard0Listens) {
  FakeRun run(/*servers=*/2, /*workers=*/2);
  EXPECT_THAT(run.actions, ElementsAre("start server-0"));
  run.Begin();
  EXPECT_THAT(run.actions, ElementsAre("start server-0", "start server-1", "start worker-0",
                                       "start worker-1", "start evaluator", "follow"));
  EXPECT_THAT(run.notes, ElementsAre("coordinator: 127.0.0.1:7000"));
}

TEST(RunMachine, AServerThatDoesNotListenEndsTheRunWithItsLogNamed) {
  FakeRun run;
  run.Pass(absl::Seconds(59));
  EXPECT_FALSE(run.over());
  run.Pass(absl::Seconds(3));
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(),
            "server-0 does not listen after 1m (log: out/a/logs/server-0.log)");
}

TEST(RunMachine, WhatCannotBeStartedEndsTheRunAndTheOthers) {
  FakeRun run;
  run.broken = {"worker-0", "worker-1"};
  run.Begin();
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(), "worker-0 cannot start");
  EXPECT_THAT(run.running, IsEmpty());
}

TEST(RunMachine, AWorkerThatDiesIsStartedAgainAfterTheBackOff) {
  FakeRun run;
  run.Train(3);
  run.Exit("worker-0", kBySignal);
  EXPECT_TRUE(run.Said("worker-0 ended with signal 9 (Killed); starting it again in 200ms"));
  run.Pass(absl::Milliseconds(199));
  EXPECT_EQ(run.Count("start worker-0"), 1);
  run.Pass(absl::Milliseconds(1));
  EXPECT_EQ(run.Count("start worker-0"), 2);
  EXPECT_EQ(run.running.count("worker-0"), 1U);
}

TEST(RunMachine, WhatAWorkerSaidOfItsEndIsShownAndOfAKilledOneNothing) {
  FakeRun run;
  run.Train(3);
  run.Exit("worker-0", kFailed, "no data");
  run.Exit("worker-1", kBySignal, "something earlier");
  EXPECT_TRUE(run.Said("starting it again in 200ms: no data"));
  EXPECT_FALSE(run.Said("something earlier"));
}

TEST(RunMachine, TheLivePageIsNamedOnceAndStaysWhereItIs) {
  FakeRun run;
  const ProcessWroteLine says{"server-0", "watch it at http://127.0.0.1:9000/"};
  run.Step(says);
  run.Train(3);
  const auto named = [&run] {
    return std::count(run.notes.begin(), run.notes.end(), "watch it at http://127.0.0.1:9000/");
  };
  EXPECT_EQ(named(), 1);
  run.Exit("server-0", kBySignal);
  EXPECT_THAT(run.specs["server-0"].arguments,
              Contains("--http_listen=127.0.0.1:9000,127.0.0.1:0"));
  run.Step(says);
  EXPECT_EQ(named(), 1);
  // Somebody else had taken it.
  run.Step(ProcessWroteLine{"server-0", "watch it at http://127.0.0.1:9001/"});
  EXPECT_TRUE(run.Said("watch it at http://127.0.0.1:9001/"));
}

TEST(RunMachine, AServerIsStartedAgainWhereTheOthersFindIt) {
  FakeRun run(/*servers=*/2);
  run.Train(3);
  run.Step(ProcessWroteLine{"server-1", "listening on 127.0.0.1:7001"});
  run.Exit("server-1", kBySignal);
  EXPECT_EQ(run.Count("start server-1"), 2) << "everyone waits for a server";
  EXPECT_EQ(run.machine().progress().waiting_for, "server-1");
  EXPECT_EQ(run.machine().progress().phase, "waiting for server-1");
}

TEST(RunMachine, AServerThatDiesTooOftenEndsTheRunWithItsLogNamed) {
  FakeRun run;
  run.Train(3);
  for (int i = 0; i < 100 && !run.over(); ++i) {
    run.Exit("server-0", kBySignal, "disk gone");
    run.Pass(absl::Seconds(6));
  }
  ASSERT_TRUE(run.over());
  EXPECT_THAT(run.result->status().message(),
              AllOf(HasSubstr("restarts in 10m have been made already"), HasSubstr(": disk gone"),
                    HasSubstr("(log: out/a/logs/server-0.log)")));
  EXPECT_THAT(run.running, IsEmpty());
}

TEST(RunMachine, NobodyIsLeftRunningAfterAFailureAndTheServersGoLast) {
  FakeRun run(/*servers=*/2, /*workers=*/2);
  run.Train(3);
  run.deaf = {"worker-1"};
  run.Exit("server-0", kFailed, "out of memory");
  EXPECT_FALSE(run.over());
  EXPECT_EQ(run.Count("terminate server-1"), 0) << "a worker still runs";
  run.Pass(absl::Seconds(6));
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.Count("kill worker-1"), 1);
  EXPECT_EQ(run.Count("terminate server-1"), 1);
  EXPECT_EQ(run.result->status().code(), absl::StatusCode::kAborted);
  EXPECT_THAT(run.result->status().message(), HasSubstr(": out of memory (log: "));
}

TEST(RunMachine, TheLogOfARunThatGivesWayToTheEarlierOneIsNotNamed) {
  FakeRun run(/*servers=*/1, /*workers=*/1, /*replaces=*/true);
  run.Begin();
  run.Exit("server-0", kFailed, "no port");
  ASSERT_TRUE(run.over());
  EXPECT_THAT(run.result->status().message(), AllOf(HasSubstr(": no port"), Not(HasSubstr("log"))));
}

TEST(RunMachine, TheEarlierRunGoesWithTheFirstUpdate) {
  FakeRun run(/*servers=*/1, /*workers=*/1, /*replaces=*/true);
  run.Train(0);
  EXPECT_EQ(run.Count("drop the earlier run"), 0);
  run.Records(1, 1);
  run.Records(2, 2);
  EXPECT_EQ(run.Count("drop the earlier run"), 1);
}

TEST(RunMachine, TheRunWithoutWorkersForTooLongEnds) {
  FakeRun run;
  run.Train(3);
  run.Exit("worker-0", {});
  EXPECT_TRUE(run.Said("worker-0 has left"));
  run.Pass(absl::Seconds(30));
  EXPECT_FALSE(run.over());
  run.Exit("worker-1", {});
  run.Pass(absl::Seconds(9));
  EXPECT_FALSE(run.over());
  run.Pass(absl::Seconds(2));
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(), "every worker has left before the last step");
}

TEST(RunMachine, WhoRunsButTakesNoPartIsKilledAndStartedAgain) {
  FakeRun run;
  run.Train(3);
  run.silent = {"worker-1"};
  run.Pass(absl::Minutes(1));
  EXPECT_TRUE(run.Said("worker-1 runs, but takes no part any more; killing it"));
  EXPECT_GE(run.Count("start worker-1"), 2);
  EXPECT_EQ(run.Count("kill worker-0"), 0);
}

TEST(RunMachine, AWarningOfTheCoordinatorIsSaidOnce) {
  FakeRun run;
  run.Train(3);
  for (const char* warning : {"the disk is slow", "the disk is slow", "", "the disk is slow"}) {
    run.Step(MembersSeen{{"worker-0"}, warning});
  }
  EXPECT_EQ(std::count(run.notes.begin(), run.notes.end(), "warning: the disk is slow"), 2);
}

TEST(RunMachine, ABrokenMembershipIsTakenUpAgainAfterTheServersEndHadItsChance) {
  FakeRun run;
  run.Train(3);
  run.membership.closed = true;
  run.membership.status = absl::UnavailableError("gone");
  run.Pass(absl::Milliseconds(299));
  EXPECT_EQ(run.Count("join again"), 0);
  run.Pass(absl::Milliseconds(1));
  EXPECT_EQ(run.Count("join again"), 1);
}

TEST(RunMachine, ACoordinatorThatWillNotHaveUsEndsTheRunWithItsWords) {
  FakeRun run;
  run.Train(3);
  run.membership.closed = true;
  run.membership.status = absl::AbortedError("the run has failed");
  run.Step(Tick{});
  ASSERT_TRUE(run.over());
  EXPECT_EQ(run.result->status().message(),
            "the coordinator ended the run: the run has failed (log: out/a/logs/server-0.log)");
}

TEST(RunMachine, AServersOwnEndSaysMoreThanTheSessionThatItBroke) {
  FakeRun run;
  run.Train(3);
  run.membership.closed = true;
  run.membership.status = absl::AbortedError("the run has failed");
  run.Exit("server-0", kFailed, "the disk is full");
  ASSERT_TRUE(run.over());
  EXPECT_THAT(run.result->status().message(), HasSubstr("server-0 ended with exit code 1"));
}

TEST(RunMachine, WhatIsComputedAgainAfterARestoreIsCountedAndSaid) {
  FakeRun run;
  run.Train(7);
  run.Step(MetricsArrived{{LineageBegins{4, 4.0}}, 10, true});
  EXPECT_TRUE(
      run.Said("the run goes on from the checkpoint of version 4; 3 updates are computed "
               "again"));
  EXPECT_EQ(run.machine().progress().version, 4U);
  EXPECT_EQ(run.machine().progress().training_time, absl::Seconds(4));
}

TEST(RunMachine, RecordsThatCannotBeWrittenAreAWarningAndTriedAgainEverySecond) {
  FakeRun run;
  run.metrics_disk = absl::ResourceExhaustedError("no space left");
  run.Train(3);
  EXPECT_THAT(run.notes,
              ElementsAre(HasSubstr("coordinator"),
                          "warning: no space left (training goes on, and the lines wait in "
                          "memory)"));
  run.metrics_disk = absl::OkStatus();
  run.Records(4, 4);
  EXPECT_THAT(run.notes, SizeIs(2)) << "it is not asked at once";
  run.now += absl::Seconds(1);
  run.Records(5, 5);
  EXPECT_EQ(run.notes.back(), "out/a/metrics.jsonl is written again");
}

}  // namespace
}  // namespace conadv
