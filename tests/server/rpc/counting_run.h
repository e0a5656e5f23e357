// SPDX-License-Identifier: Apache-2.0
// Servers in this process and a worker that computes nothing: its gradients are all 1 and the rate
// is 1, so that every element of version v is -v, unless they are clipped. It speaks through
// generated classes only, as a client in another language would.
#ifndef CONADV_TESTS_SERVER_RPC_COUNTING_RUN_H_
#define CONADV_TESTS_SERVER_RPC_COUNTING_RUN_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/tensor/layout.h"
#include "conadv/v1/coordinator.grpc.pb.h"
#include "conadv/v1/parameter_server.grpc.pb.h"
#include "server/process/server.h"

namespace conadv {

struct PulledArena {
  uint64_t version = 0;
  std::vector<float> values;
};

// Through the generated classes: checks that chunks rise without gaps.
absl::StatusOr<PulledArena> PullThrough(v1::ParameterServer::Stub& stub,
                                        const v1::PullRequest& request,
                                        absl::Duration timeout = absl::Seconds(30));

class CountingRun {
 public:
  CountingRun(uint32_t shards, uint64_t steps, v1::Training::Consistency consistency,
              double lease_seconds = 10, float global_clip_norm = 0);
  ~CountingRun();

  // Joins and offers the initial weights, all 0.
  void Start();
  // Pushes one slot's contribution to every shard and answers with the outcomes' first error.
  absl::Status PushUnit(uint64_t step, uint32_t slot, uint64_t version);
  // One push to one shard, with anything changed by hand.
  absl::StatusOr<v1::PushResponse> Push(uint32_t shard, std::vector<v1::PushRequest> chunks);
  std::vector<v1::PushRequest> Chunks(uint32_t shard, uint64_t step, uint32_t slot,
                                      uint64_t version) const;

  // As SIGTERM does.
  void StopServer(uint32_t shard) {
    EXPECT_TRUE(servers_[shard]->Run([] { return true; }).ok());
    servers_[shard].reset();
  }

  const Layout& layout() const { return *layout_; }
  v1::ParameterServer::Stub& stub(uint32_t shard) { return *stubs_[shard]; }
  const std::string& address(uint32_t shard) const { return servers_[shard]->address(); }
  static constexpr uint32_t kSlots = 2;

 private:
  std::vector<std::unique_ptr<Server>> servers_;
  std::vector<std::unique_ptr<v1::ParameterServer::Stub>> stubs_;
  v1::Plan plan_;
  std::unique_ptr<Layout> layout_;
  grpc::ClientContext join_context_;
  std::unique_ptr<v1::Coordinator::Stub> coordinator_;
  std::unique_ptr<grpc::ClientReaderWriter<v1::JoinRequest, v1::JoinResponse>> session_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_RPC_COUNTING_RUN_H_
