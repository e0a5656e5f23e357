// SPDX-License-Identifier: Apache-2.0
#include "client/run/coordinator_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/wire/channel.h"
#include "tests/client/run/fake_coordinator.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class CoordinatorClientTest : public ::testing::Test {
 protected:
  FakeCoordinator service_;
  const std::shared_ptr<grpc::Channel> channel_ = MakeChannel(service_.address());
};

TEST_F(CoordinatorClientTest, GetRunWaitsUntilEveryShardHasJoined) {
  int calls = 0;
  service_.get_job = [&calls](v1::GetJobResponse* response) {
    if (++calls < 3) return grpc::Status(grpc::StatusCode::UNAVAILABLE, "waiting for shard 1");
    response->mutable_job()->mutable_model()->set_builtin("mlp");
    response->mutable_job()->mutable_dataset()->set_path("/data");
    response->mutable_job()->mutable_optimizer()->mutable_sgd();
    response->add_servers("a:1");
    return grpc::Status::OK;
  };
  const auto run = CoordinatorClient(channel_, service_.address()).GetRun(absl::Seconds(30), [] {
    return false;
  });
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->job.dataset.path, "/data");
  EXPECT_THAT(run->servers, ElementsAre("a:1"));
}

TEST_F(CoordinatorClientTest, GetRunNamesTheAddressOfACoordinatorThatNeverAnswers) {
  service_.get_job = [](v1::GetJobResponse*) {
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "waiting for shard 1");
  };
  const auto run =
      CoordinatorClient(channel_, service_.address()).GetRun(absl::Milliseconds(150), [] {
        return false;
      });
  EXPECT_TRUE(absl::IsUnavailable(run.status()));
  EXPECT_THAT(run.status().message(), HasSubstr(service_.address()));
  EXPECT_THAT(run.status().message(), HasSubstr("waiting for shard 1"));
}

TEST_F(CoordinatorClientTest, GetRunEndsWhenToldToStop) {
  const auto run =
      CoordinatorClient(channel_, service_.address()).GetRun(absl::Hours(1), [] { return true; });
  EXPECT_TRUE(absl::IsCancelled(run.status()));
}

}  // namespace
}  // namespace conadv
