// SPDX-License-Identifier: Apache-2.0
// Questions to a server that is away, comes back, hangs, or was right to go.
#include "cli/client/inspector_client.h"

#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "conadv/v1/inspector.grpc.pb.h"
#include "tests/support/gate.h"

namespace conadv {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr absl::Duration kLong = absl::Seconds(20);

// Shard 3 of a run. Its last word to watchers is `last_word`.
class FakeServer final : public v1::Inspector::Service {
 public:
  explicit FakeServer(const std::string& listen = "127.0.0.1:0") {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(listen, grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address = absl::StrCat("127.0.0.1:", port);
  }
  ~FakeServer() override {
    leaving_.Open();
    server_->Shutdown();
  }

  grpc::Status Status(grpc::ServerContext*, const v1::StatusRequest*,
                      v1::StatusResponse* response) override {
    response->set_shard(3);
    return grpc::Status::OK;
  }
  grpc::Status Workers(grpc::ServerContext*, const v1::WorkersRequest*,
                       v1::WorkersResponse*) override {
    if (hangs) leaving_.Wait();
    return grpc::Status::OK;
  }
  grpc::Status WatchMetrics(grpc::ServerContext*, const v1::WatchMetricsRequest*,
                            grpc::ServerWriter<v1::MetricsRecord>*) override {
    watched.Open();
    leaving_.Wait();
    return last_word;
  }

  std::string address;
  std::atomic<bool> hangs{false};
  Gate watched;
  grpc::Status last_word = grpc::Status::OK;

 private:
  Gate leaving_;
  std::unique_ptr<grpc::Server> server_;
};

class InspectorClientTest : public ::testing::Test {
 protected:
  InspectorClient Client(absl::Duration timeout, std::function<bool()> pause) {
    WaitOptions options;
    options.timeout = timeout;
    options.notes = &notes_;
    options.pause = [pause = std::move(pause)](absl::Duration) { return pause(); };
    return InspectorClient(server_->address, options);
  }
  static absl::Status Ask(InspectorClient& client) {
    v1::WorkersResponse response;
    return client.Ask(&v1::Inspector::Stub::Workers, &response);
  }

  std::unique_ptr<FakeServer> server_ = std::make_unique<FakeServer>();
  const std::string address_ = server_->address;
  std::ostringstream notes_;
};

TEST_F(InspectorClientTest, AServerThatIsLostIsWaitedForByName) {
  server_->last_word = grpc::Status(grpc::StatusCode::UNAVAILABLE, "going away");
  InspectorClient client = Client(kLong, [&] {
    if (server_ == nullptr) server_ = std::make_unique<FakeServer>(address_);
    return true;
  });
  ASSERT_TRUE(Ask(client).ok());
  client.Follow();
  server_.reset();
  EXPECT_TRUE(Ask(client).ok());
  EXPECT_THAT(notes_.str(), HasSubstr("waiting for server-3 at " + address_ + ": "));
}

TEST_F(InspectorClientTest, AServerThatEndsWithItsRunIsNotWaitedFor) {
  InspectorClient client = Client(kLong, [] { return true; });
  ASSERT_TRUE(Ask(client).ok());
  client.Follow();
  server_->watched.Wait();
  server_.reset();
  EXPECT_EQ(Ask(client), absl::OutOfRangeError("the run is over"));
  EXPECT_EQ(notes_.str(), "");
}

TEST_F(InspectorClientTest, AServerThatStaysAwayIsGivenUp) {
  InspectorClient client = Client(absl::Milliseconds(200), [] { return true; });
  server_.reset();
  const absl::Status status = Ask(client);
  EXPECT_EQ(status.code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_THAT(std::string(status.message()),
              AllOf(HasSubstr(address_), HasSubstr("Connection refused"), HasSubstr("200ms")));
}

TEST_F(InspectorClientTest, AServerThatDoesNotAnswerIsGivenUp) {
  server_->hangs = true;
  InspectorClient client = Client(absl::Milliseconds(200), [] { return true; });
  EXPECT_THAT(std::string(Ask(client).message()), HasSubstr("it does not answer"));
}

TEST_F(InspectorClientTest, WhoIsTiredOfWaitingIsHeeded) {
  InspectorClient client = Client(kLong, [] { return false; });
  server_.reset();
  EXPECT_TRUE(absl::IsCancelled(Ask(client)));
}

TEST_F(InspectorClientTest, AnotherKindOfServerIsToldOfAtOnce) {
  // Not in this fake's repertoire.
  InspectorClient client = Client(kLong, [] { return true; });
  v1::SnapshotsResponse response;
  EXPECT_THAT(std::string(client.Ask(&v1::Inspector::Stub::Snapshots, &response).message()),
              AllOf(HasSubstr(address_), HasSubstr("something else than a conadv server")));
}

TEST(ServerWait, TheReasonIsSaidWithoutItsFrame) {
  EXPECT_EQ(ReasonOf(absl::UnavailableError(
                         "failed to connect to all addresses; last error: UNKNOWN: "
                         "ipv4:127.0.0.1:1: Failed to connect to remote host: Connection refused"),
                     "server-0 at a:1"),
            "Connection refused");
  EXPECT_EQ(ReasonOf(absl::UnavailableError("server-0 at a:1: no weights"), "server-0 at a:1"),
            "no weights");
  EXPECT_EQ(ReasonOf(absl::UnavailableError("steer\033[2J"), "a"), "steer\\x1b[2J");
}

}  // namespace
}  // namespace conadv
