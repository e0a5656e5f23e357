// SPDX-License-Identifier: Apache-2.0
// Memory that both sides have mapped, where the peer is on this machine; else another transport.
// Thread-safe.
#ifndef CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_TRANSPORT_H_
#define CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_TRANSPORT_H_

#include <memory>

#include "client/shared_memory/shared_memory_client.h"
#include "client/transfer/transport.h"

namespace conadv {

class SharedMemoryTransport final : public Transport {
 public:
  // Both outlive it and its clients. `arenas` are those that gradients lie in; nullptr: there is no
  // shared memory here.
  SharedMemoryTransport(const Transport* network, const SharedArenas* arenas)
      : network_(network), arenas_(arenas) {}

  // An address does not tell where a peer is: its clients ask it, when they are first used.
  bool IsViable(const Peer& peer) const override {
    return arenas_ != nullptr && network_->IsViable(peer);
  }
  std::unique_ptr<ParameterClient> Connect(const Peer& peer) const override {
    return std::make_unique<SharedMemoryClient>(network_->Connect(peer), arenas_, peer.layout_hash,
                                                peer.worker);
  }

 private:
  const Transport* const network_;
  const SharedArenas* const arenas_;
};

}  // namespace conadv

#endif  // CONADV_CLIENT_SHARED_MEMORY_SHARED_MEMORY_TRANSPORT_H_
