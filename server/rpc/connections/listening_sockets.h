// SPDX-License-Identifier: Apache-2.0
// The sockets of one listening address. Stateless.
#ifndef CONADV_SERVER_RPC_CONNECTIONS_LISTENING_SOCKETS_H_
#define CONADV_SERVER_RPC_CONNECTIONS_LISTENING_SOCKETS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/os/file_descriptor.h"

namespace conadv {

struct ListeningSockets {
  std::vector<FileDescriptor> sockets;  // none of them blocks
  uint16_t port = 0;                    // of all
};

// A connection that has acknowledged nothing of what it was sent for that long is broken.
inline constexpr absl::Duration kSilence = absl::Seconds(10);

// HOST:PORT as CheckListenAddress takes it; port 0 picks a free one. Every address that the host's
// name has, and of "0.0.0.0" and "[::]" every address of this machine, IPv4 and IPv6. UNAVAILABLE,
// with why: it can have none of them.
absl::StatusOr<ListeningSockets> ListenOn(const std::string& address);

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_CONNECTIONS_LISTENING_SOCKETS_H_
