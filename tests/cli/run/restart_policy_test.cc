// SPDX-License-Identifier: Apache-2.0
#include "cli/run/restart_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "common/program/exit_code.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

class RestartPolicyTest : public ::testing::Test {
 protected:
  RestartDecision Exit(const std::string& process, ProcessRole role, ExitStatus exit,
                       absl::Duration lived) {
    const absl::Time started = now_;
    now_ += lived;
    return DecideRestart({process, role, exit, started}, now_, options_, &state_);
  }
  RestartDecision Killed(const std::string& worker, absl::Duration lived = absl::Minutes(1)) {
    return Exit(worker, ProcessRole::kWorker, {0, SIGKILL}, lived);
  }
  RestartDecision Failed(const std::string& worker, absl::Duration lived = absl::Seconds(1)) {
    return Exit(worker, ProcessRole::kWorker, {1, 0}, lived);
  }

  absl::Time now_ = absl::FromUnixSeconds(1000);
  RestartOptions options_;
  RestartState state_;
};

TEST_F(RestartPolicyTest, AKilledWorkerIsStartedAgainSoon) {
  const RestartDecision decision = Killed("worker-0");
  EXPECT_EQ(decision.action, RestartAction::kRestart);
  EXPECT_EQ(decision.at, now_ + absl::Milliseconds(200));
  EXPECT_THAT(decision.reason, HasSubstr("worker-0 ended with signal 9"));
}

TEST_F(RestartPolicyTest, AWorkerMayLeaveAndTheEvaluatorIsStartedAgain) {
  const ExitStatus leaves{0, 0};
  EXPECT_EQ(Exit("worker-0", ProcessRole::kWorker, leaves, absl::Minutes(1)).action,
            RestartAction::kLeft);
  EXPECT_EQ(Exit("evaluator", ProcessRole::kEvaluator, leaves, absl::Minutes(1)).action,
            RestartAction::kRestart);
}

TEST_F(RestartPolicyTest, TheDelayDoublesUpToItsBoundAndALongLifeResetsIt) {
  std::vector<absl::Duration> delays;
  for (int i = 0; i < 7; ++i) {
    const RestartDecision decision = Killed("worker-0", absl::Seconds(1));
    delays.push_back(decision.at - now_);
  }
  EXPECT_THAT(delays,
              ::testing::ElementsAre(absl::Milliseconds(200), absl::Milliseconds(400),
                                     absl::Milliseconds(800), absl::Milliseconds(1600),
                                     absl::Milliseconds(3200), absl::Seconds(5), absl::Seconds(5)));
  const RestartDecision decision = Killed("worker-0", absl::Minutes(1));
  EXPECT_EQ(decision.at, now_ + absl::Milliseconds(200));
}

TEST_F(RestartPolicyTest, AllRestartsTogetherAreBounded) {
  for (size_t i = 0; i < options_.max_restarts; ++i) {
    EXPECT_EQ(Killed(i % 2 == 0 ? "worker-0" : "worker-1", absl::Seconds(11)).action,
              RestartAction::kRestart);
  }
  const RestartDecision decision = Killed("worker-2", absl::Seconds(11));
  EXPECT_EQ(decision.action, RestartAction::kStop);
  EXPECT_THAT(decision.reason, HasSubstr("20 restarts"));
}

TEST_F(RestartPolicyTest, OldRestartsAreForgotten) {
  for (size_t i = 0; i < 3 * options_.max_restarts; ++i) {
    EXPECT_EQ(Killed("worker-0", absl::Minutes(1)).action, RestartAction::kRestart);
  }
}

TEST_F(RestartPolicyTest, AWorkerThatNeverGetsToWorkStopsTheRun) {
  EXPECT_EQ(Failed("worker-0").action, RestartAction::kRestart);
  EXPECT_EQ(Failed("worker-1").action, RestartAction::kRestart);
  EXPECT_EQ(Failed("worker-0").action, RestartAction::kRestart);
  const RestartDecision decision = Failed("worker-0");
  EXPECT_EQ(decision.action, RestartAction::kStop);
  EXPECT_THAT(decision.reason, HasSubstr("exit code 1 3 times"));
}

TEST_F(RestartPolicyTest, EarlyFailuresCountOnlyInARow) {
  Failed("worker-0");
  Failed("worker-0");
  Failed("worker-0", absl::Minutes(1));
  EXPECT_EQ(Failed("worker-0").action, RestartAction::kRestart);
}

TEST_F(RestartPolicyTest, AnEvaluatorIsStartedAgainToo) {
  EXPECT_EQ(Exit("evaluator", ProcessRole::kEvaluator, {134, 0}, absl::Minutes(1)).action,
            RestartAction::kRestart);
}

TEST_F(RestartPolicyTest, WhoLeavesOnPurposeIsNotStartedAgain) {
  EXPECT_EQ(Exit("worker-0", ProcessRole::kWorker, {0, 0}, absl::Minutes(1)).action,
            RestartAction::kLeft);
}

TEST_F(RestartPolicyTest, AKilledServerIsStartedAgainAtOnce) {
  const RestartDecision decision =
      Exit("server-1", ProcessRole::kServer, {0, SIGSEGV}, absl::Minutes(1));
  EXPECT_EQ(decision.action, RestartAction::kRestart);
  EXPECT_EQ(decision.at, now_);
  EXPECT_THAT(decision.reason, HasSubstr("server-1 ended with signal 11"));
}

TEST_F(RestartPolicyTest, AServerThatEndsWithAnErrorStopsTheRun) {
  EXPECT_EQ(Exit("server-0", ProcessRole::kServer, {1, 0}, absl::Minutes(1)).action,
            RestartAction::kStop);
}

TEST_F(RestartPolicyTest, AnEvaluatorThatNeverWorksCostsNoWeightsAndNobodyElsesRestarts) {
  const ExitStatus killed{0, SIGKILL};
  for (size_t i = 0; i < options_.max_evaluator_restarts; ++i) {
    EXPECT_EQ(Exit("evaluator", ProcessRole::kEvaluator, killed, absl::Seconds(20)).action,
              RestartAction::kRestart);
  }
  const RestartDecision decision =
      Exit("evaluator", ProcessRole::kEvaluator, killed, absl::Seconds(20));
  EXPECT_EQ(decision.action, RestartAction::kGoOnWithout);
  EXPECT_THAT(decision.reason, HasSubstr("without a final evaluation"));
  for (size_t i = 0; i < options_.max_restarts; ++i) {
    EXPECT_EQ(Killed("worker-0", absl::Seconds(11)).action, RestartAction::kRestart);
  }
}

TEST_F(RestartPolicyTest, WhoWasToldToStopIsNotAtFault) {
  const ExitStatus told{ExitCodeOfSignal(SIGTERM), 0};
  EXPECT_EQ(Exit("worker-0", ProcessRole::kWorker, told, absl::Seconds(1)).action,
            RestartAction::kLeft);
  for (int i = 0; i < 2 * options_.same_failures; ++i) {
    EXPECT_EQ(Exit("server-0", ProcessRole::kServer, told, absl::Seconds(1)).action,
              RestartAction::kRestart);
  }
}

TEST_F(RestartPolicyTest, WhoRefusesWhatItWasGivenIsNotAskedAgain) {
  const ExitStatus refused{kExitNever, 0};
  EXPECT_EQ(Exit("worker-0", ProcessRole::kWorker, refused, absl::Seconds(1)).action,
            RestartAction::kStop);
  EXPECT_EQ(Exit("evaluator", ProcessRole::kEvaluator, refused, absl::Seconds(1)).action,
            RestartAction::kGoOnWithout);
}

}  // namespace
}  // namespace conadv
