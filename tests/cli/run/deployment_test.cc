// SPDX-License-Identifier: Apache-2.0
#include "cli/run/deployment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/process/process.h"

namespace conadv {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsSupersetOf;
using ::testing::Not;

Deployment TwoByThree() { return {"/bin/s", "/bin/w", "out/a", 2, 3, 4, 5, "cuda:1"}; }

TEST(Deployment, Shard0HasTheJobAndTheOthersItsAddress) {
  const ProcessSpec first = ServerSpec(TwoByThree(), 0, "");
  EXPECT_EQ(first.name, "server-0");
  EXPECT_EQ(first.log_path, "out/a/logs/server-0.log");
  EXPECT_THAT(first.arguments,
              ElementsAre("/bin/s", "--shard=0", "--shards=2", "--listen=127.0.0.1:0",
                          "--shared_memory=auto", "--checkpoint_dir=out/a/checkpoints",
                          "--job=out/a/job.textproto", "--http_listen=127.0.0.1:0",
                          "--evaluator_patience=60s"));
  EXPECT_THAT(ServerSpec(TwoByThree(), 1, "h:1").arguments,
              ElementsAre("/bin/s", "--shard=1", "--shards=2", "--listen=127.0.0.1:0",
                          "--shared_memory=auto", "--checkpoint_dir=out/a/checkpoints",
                          "--coordinator=h:1"));
}

TEST(Deployment, AServerIsStartedAgainOnTheAddressesThatItHad) {
  ProcessSpec first = ServerSpec(TwoByThree(), 0, "");
  ListenOn("127.0.0.1:7000", &first);
  WatchOn("127.0.0.1:8080", &first);
  EXPECT_THAT(first.arguments, IsSupersetOf({"--listen=127.0.0.1:7000",
                                             "--http_listen=127.0.0.1:8080,127.0.0.1:0"}));
  ProcessSpec second = ServerSpec(TwoByThree(), 1, "h:1");
  WatchOn("127.0.0.1:8080", &second);
  EXPECT_THAT(second.arguments, Not(Contains(HasSubstr("http_listen")))) << "it has no page";
}

TEST(Deployment, WorkersNeedTheCoordinatorAlone) {
  EXPECT_THAT(WorkerSpec(TwoByThree(), 2, "h:1").arguments,
              ElementsAre("/bin/w", "--coordinator=h:1", "--threads=4", "--device=cuda:1",
                          "--shared_memory=auto", "--overlap=auto", "--name=worker-2"));
  EXPECT_THAT(EvaluatorSpec(TwoByThree(), "h:1").arguments,
              ElementsAre("/bin/w", "--role=evaluator", "--coordinator=h:1", "--threads=5",
                          "--device=cuda:1", "--shared_memory=auto", "--name=evaluator",
                          "--export=out/a/model.pt"));
}

TEST(Deployment, RolesFollowFromNames) {
  EXPECT_EQ(RoleOf(ServerName(3)), ProcessRole::kServer);
  EXPECT_EQ(RoleOf(WorkerName(3)), ProcessRole::kWorker);
  EXPECT_EQ(RoleOf(kEvaluatorName), ProcessRole::kEvaluator);
}

}  // namespace
}  // namespace conadv
