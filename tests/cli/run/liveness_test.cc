// SPDX-License-Identifier: Apache-2.0
#include "cli/run/liveness.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class LivenessTest : public ::testing::Test {
 protected:
  LivenessTest() {
    for (const char* process : {"server-0", "server-1", "worker-0"}) {
      liveness_.OnStart(process, now_);
    }
  }
  // Answers every second, with these members; who is lost meanwhile.
  std::vector<std::string> Pass(int seconds, const std::set<std::string>& members) {
    std::vector<std::string> lost;
    for (int i = 0; i < seconds; ++i) {
      now_ += absl::Seconds(1);
      liveness_.OnAnswer("server-0", members, now_);
      for (const std::string& process : liveness_.TakeLost(now_)) lost.push_back(process);
    }
    return lost;
  }
  absl::Time now_ = absl::UnixEpoch();
  Liveness liveness_{{absl::Seconds(10), absl::Seconds(60)}};
};

TEST_F(LivenessTest, WhoTakesPartIsNotLost) {
  EXPECT_THAT(Pass(1000, {"server-1", "worker-0"}), IsEmpty());
}

TEST_F(LivenessTest, AfterAPauseOfOurOwnNobodyIsBlamed) {
  Pass(5, {"server-1", "worker-0"});
  now_ += absl::Hours(1);
  EXPECT_THAT(liveness_.TakeLost(now_), IsEmpty());
  EXPECT_THAT(Pass(9, {"server-1"}), IsEmpty());
  EXPECT_THAT(Pass(3, {"server-1"}), ElementsAre("worker-0"));
}

TEST_F(LivenessTest, AMemberThatIsGoneButRunsIsLostOnce) {
  Pass(5, {"server-1", "worker-0"});
  EXPECT_THAT(Pass(9, {"server-1"}), IsEmpty());
  EXPECT_THAT(Pass(20, {"server-1"}), ElementsAre("worker-0"));
  liveness_.OnStart("worker-0", now_);
  EXPECT_THAT(Pass(50, {"server-1"}), IsEmpty()) << "a new process may take its time";
}

TEST_F(LivenessTest, ACoordinatorThatDoesNotAnswerIsLostAndNobodyElseForIt) {
  Pass(5, {"server-1", "worker-0"});
  std::vector<std::string> lost;
  for (int i = 0; i < 12; ++i) {
    now_ += absl::Seconds(1);
    for (const std::string& process : liveness_.TakeLost(now_)) lost.push_back(process);
  }
  EXPECT_THAT(lost, ElementsAre("server-0"));
}

TEST_F(LivenessTest, WithoutAServerNobodyElseIsBlamed) {
  Pass(5, {"server-1", "worker-0"});
  EXPECT_THAT(Pass(12, {}), ElementsAre("server-1")) << "workers cannot join without it";
  liveness_.OnStart("server-1", now_);
  EXPECT_THAT(Pass(9, {"server-1"}), IsEmpty());
  EXPECT_THAT(Pass(9, {"server-1"}), ElementsAre("worker-0"));
}

TEST_F(LivenessTest, WhoHasEndedIsNotLost) {
  Pass(5, {"server-1", "worker-0"});
  liveness_.OnExit("worker-0");
  EXPECT_THAT(Pass(60, {"server-1"}), IsEmpty());
}

}  // namespace
}  // namespace conadv
