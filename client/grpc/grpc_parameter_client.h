// SPDX-License-Identifier: Apache-2.0
// The ParameterClient of a real server. Thread-safe.
#ifndef CONADV_CLIENT_GRPC_GRPC_PARAMETER_CLIENT_H_
#define CONADV_CLIENT_GRPC_GRPC_PARAMETER_CLIENT_H_

#include <grpcpp/channel.h>
#include <grpcpp/generic/generic_stub.h>

#include <memory>
#include <string>

#include "client/grpc/call_registry.h"
#include "client/transfer/parameter_client.h"
#include "client/transfer/peer_identity.h"

namespace conadv {

class GrpcParameterClient final : public ParameterClient {
 public:
  // `worker` is the name that the server shows; a layout hash that differs from the server's is an
  // error of each call. `gradually`: see pushes_gradually.
  GrpcParameterClient(std::shared_ptr<grpc::Channel> channel, std::string address,
                      uint64_t layout_hash, std::string worker, bool gradually = true);

  void Pull(const PullSelector& selector, absl::Duration timeout, Allocate allocate,
            PullDone done) override;
  bool pushes_gradually(size_t /*elements*/) const override { return gradually_; }
  void Push(const PushContent& content, absl::Duration timeout, PushDone done) override;
  void Describe(absl::Duration timeout, DescribeDone done) override;
  void Reset() override;
  void SetLineage(Lineage lineage) override { peer_.SetLineage(lineage); }
  const std::string& address() const override { return peer_.address(); }
  void Shutdown() override;

 private:
  grpc::GenericStub stub_;
  PeerIdentity peer_;
  const uint64_t layout_hash_;
  const std::string worker_;
  const bool gradually_;
  CallRegistry calls_;  // last: the calls use what stands above
};

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_GRPC_PARAMETER_CLIENT_H_
