// SPDX-License-Identifier: Apache-2.0
// What calls have taken of what each connection brought: whoever reads messages by the mebibyte
// counts them here. Thread-safe.
#ifndef CONADV_SERVER_RPC_CONNECTIONS_TAKEN_BYTES_H_
#define CONADV_SERVER_RPC_CONNECTIONS_TAKEN_BYTES_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "absl/strings/string_view.h"
#include "common/thread/mutex.h"

struct sockaddr_storage;

namespace conadv {

// HOST:PORT of a connection's other end, by its address or by what gRPC calls it
// (ServerContext::peer: "ipv6:%5B::1%5D:7000"). Both give the same name; empty: it is neither IPv4
// nor IPv6.
std::string PeerName(const sockaddr_storage& address);
std::string PeerName(absl::string_view peer);

class TakenBytes {
 public:
  using Counter = std::shared_ptr<std::atomic<uint64_t>>;

  Counter Add(const std::string& name);
  // Only if it is `counter`'s: another connection may have the name by now.
  void Remove(const std::string& name, const Counter& counter);
  // Never nullptr: the counter of a connection that nobody watches is nobody's.
  Counter Find(absl::string_view peer) const;

 private:
  mutable Mutex mutex_;
  std::map<std::string, Counter> counters_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_CONNECTIONS_TAKEN_BYTES_H_
