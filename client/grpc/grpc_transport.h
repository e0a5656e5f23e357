// SPDX-License-Identifier: Apache-2.0
// Chunks over gRPC: reaches every peer. Immutable.
#ifndef CONADV_CLIENT_GRPC_GRPC_TRANSPORT_H_
#define CONADV_CLIENT_GRPC_GRPC_TRANSPORT_H_

#include <memory>
#include <utility>

#include "client/grpc/grpc_parameter_client.h"
#include "client/transfer/transport.h"
#include "common/wire/channel.h"

namespace conadv {

class GrpcTransport final : public Transport {
 public:
  // `gradually`: whether pushes begin before their values are all there.
  explicit GrpcTransport(ClientCredentials credentials = {}, bool gradually = true)
      : credentials_(std::move(credentials)), gradually_(gradually) {}

  bool IsViable(const Peer&) const override { return true; }
  std::unique_ptr<ParameterClient> Connect(const Peer& peer) const override {
    return std::make_unique<GrpcParameterClient>(MakeChannel(peer.address, credentials_),
                                                 peer.address, peer.layout_hash, peer.worker,
                                                 gradually_);
  }

 private:
  const ClientCredentials credentials_;
  const bool gradually_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_GRPC_TRANSPORT_H_
