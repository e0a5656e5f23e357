// SPDX-License-Identifier: Apache-2.0
// A coordinator on a free port of this machine that answers as the test's functions say. They are
// called on gRPC's threads and set before the first call.
#ifndef CONADV_TESTS_CLIENT_RUN_FAKE_COORDINATOR_H_
#define CONADV_TESTS_CLIENT_RUN_FAKE_COORDINATOR_H_

#include <grpcpp/server_builder.h>

#include <functional>
#include <memory>
#include <string>

#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {

using JoinStream = grpc::ServerReaderWriter<v1::JoinResponse, v1::JoinRequest>;

class FakeCoordinator final : public v1::Coordinator::Service {
 public:
  FakeCoordinator() {
    int port = 0;
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
    builder.RegisterService(this);
    server_ = builder.BuildAndStart();
    address_ = "127.0.0.1:" + std::to_string(port);
  }
  ~FakeCoordinator() override { server_->Shutdown(); }

  const std::string& address() const { return address_; }

  grpc::Status Join(grpc::ServerContext*, JoinStream* stream) override { return join(stream); }
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest*,
                      v1::GetJobResponse* response) override {
    return get_job(response);
  }

  std::function<grpc::Status(JoinStream*)> join;
  std::function<grpc::Status(v1::GetJobResponse*)> get_job;

 private:
  std::unique_ptr<grpc::Server> server_;
  std::string address_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_CLIENT_RUN_FAKE_COORDINATOR_H_
