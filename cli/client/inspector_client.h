// SPDX-License-Identifier: Apache-2.0
// Questions to one server, which is waited for while it is away. Calls block. One thread.
#ifndef CONADV_CLI_CLIENT_INSPECTOR_CLIENT_H_
#define CONADV_CLI_CLIENT_INSPECTOR_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "cli/client/run_end.h"
#include "cli/client/server_wait.h"
#include "conadv/v1/inspector.grpc.pb.h"

namespace conadv {

class InspectorClient {
 public:
  InspectorClient(std::string address, const WaitOptions& options);

  template <class Request, class Response>
  using Method = grpc::Status (v1::Inspector::Stub::*)(grpc::ClientContext*, const Request&,
                                                       Response*);

  // DEADLINE_EXCEEDED, in words: it stayed away. CANCELLED: the pause said so. OUT_OF_RANGE: it is
  // gone because the run is over, if it was followed.
  template <class Request, class Response>
  absl::Status Ask(Method<Request, Response> method, Response* response) {
    return Call([&](grpc::ClientContext* context) {
      return (stub_.get()->*method)(context, Request(), response);
    });
  }

  // After an answer: learns who it is, and listens for the run's end from here on.
  void Follow();

 private:
  absl::Status Call(const std::function<grpc::Status(grpc::ClientContext*)>& call);
  void Connect(std::shared_ptr<grpc::Channel> channel);

  const std::string address_;
  ServerWait wait_;
  std::string who_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::Inspector::Stub> stub_;
  std::unique_ptr<RunEnd> end_;
};

}  // namespace conadv

#endif  // CONADV_CLI_CLIENT_INSPECTOR_CLIENT_H_
