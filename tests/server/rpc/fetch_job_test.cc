// SPDX-License-Identifier: Apache-2.0
// How a shard finds its coordinator.
#include <gmock/gmock.h>
#include <grpcpp/security/server_credentials.h>
#include <grpcpp/server_builder.h>
#include <gtest/gtest.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "server/rpc/membership/shard_session.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(FetchJob, AnotherServiceAtTheAddressIsToldAtOnce) {
  v1::Inspector::Service other;
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&other);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  const absl::Status status =
      FetchJob(absl::StrCat("127.0.0.1:", port), absl::Hours(1), [] { return false; }).status();
  EXPECT_TRUE(absl::IsUnimplemented(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("is not this run's coordinator"));
}

TEST(FetchJob, NobodyThereIsUnavailableInTheEnd) {
  const absl::Status status =
      FetchJob("127.0.0.1:1", absl::Milliseconds(10), [] { return false; }).status();
  EXPECT_TRUE(absl::IsUnavailable(status)) << status;
  EXPECT_THAT(std::string(status.message()), HasSubstr("no coordinator at 127.0.0.1:1"));
}

}  // namespace
}  // namespace conadv
