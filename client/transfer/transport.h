// SPDX-License-Identifier: Apache-2.0
// A way for the bytes between a worker and a shard. Stateless or thread-safe.
#ifndef CONADV_CLIENT_TRANSFER_TRANSPORT_H_
#define CONADV_CLIENT_TRANSFER_TRANSPORT_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "client/transfer/parameter_client.h"

namespace conadv {

// Whom a client talks to, and for whom.
struct Peer {
  std::string address;       // HOST:PORT of the shard
  uint64_t layout_hash = 0;  // one that differs from the shard's is an error of each call
  std::string worker;        // the name that the shard shows
};

class Transport {
 public:
  virtual ~Transport() = default;
  // Whether it can reach this peer from here, as a transport within one host may not.
  virtual bool IsViable(const Peer& peer) const = 0;
  // REQUIRES: IsViable(peer). Connects when it is first used.
  virtual std::unique_ptr<ParameterClient> Connect(const Peer& peer) const = 0;
};

// By the first that is viable: the fastest comes first, and the last reaches everyone.
inline std::unique_ptr<ParameterClient> ConnectByFirstViable(
    const std::vector<const Transport*>& transports, const Peer& peer) {
  for (const Transport* transport : transports) {
    if (transport->IsViable(peer)) return transport->Connect(peer);
  }
  return nullptr;
}

}  // namespace conadv

#endif  // CONADV_CLIENT_TRANSFER_TRANSPORT_H_
