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
  explicit GrpcTransport(ClientCredentials credentials = {})
      : credentials_(std::move(credentials)) {}

  bool IsViable(const Peer&) const override { return true; }
  std::unique_ptr<ParameterClient> Connect(const Peer& peer) const override {
    return std::make_unique<GrpcParameterClient>(MakeChannel(peer.address, credentials_),
                                                 peer.address, peer.layout_hash, peer.worker);
  }

 private:
  const ClientCredentials credentials_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_GRPC_GRPC_TRANSPORT_H_
