// SPDX-License-Identifier: Apache-2.0
#include "client/grpc/grpc_parameter_client.h"

#include <utility>

#include "client/grpc/describe_call.h"
#include "client/grpc/pull_call.h"
#include "client/grpc/push_call.h"

namespace conadv {

GrpcParameterClient::GrpcParameterClient(std::shared_ptr<grpc::Channel> channel,
                                         std::string address, uint64_t layout_hash,
                                         std::string worker, bool gradually)
    : stub_(std::move(channel)),
      peer_(std::move(address)),
      layout_hash_(layout_hash),
      worker_(std::move(worker)),
      gradually_(gradually) {}

void GrpcParameterClient::Pull(const PullSelector& selector, absl::Duration timeout,
                               Allocate allocate, PullDone done) {
  StartPullCall(&stub_, &calls_, &peer_, layout_hash_, selector, timeout, std::move(allocate),
                std::move(done));
}

void GrpcParameterClient::Push(const PushContent& content, absl::Duration timeout, PushDone done) {
  StartPushCall(&stub_, &calls_, &peer_, layout_hash_, worker_, content, timeout, std::move(done));
}

void GrpcParameterClient::Describe(absl::Duration timeout, DescribeDone done) {
  StartDescribeCall(&stub_, &calls_, &peer_, timeout, std::move(done));
}

void GrpcParameterClient::Reset() {
  calls_.CancelAll();
  peer_.Forget();
}

void GrpcParameterClient::Shutdown() { calls_.Shutdown(); }

}  // namespace conadv
