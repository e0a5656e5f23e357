// SPDX-License-Identifier: Apache-2.0
// What peers have sent and no call has taken, by connection, and who is to be cut off when memory
// runs out. gRPC looks at a message's size only when all of the message is there, and cancels calls
// beyond its quota more slowly than a peer sends: only the kernel knows in time what comes in. Pure
// state; not thread-safe.
#ifndef CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_
#define CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_

#include <cstdint>
#include <map>
#include <optional>

#include "absl/time/time.h"

namespace conadv {

class UntakenBytes {
 public:
  struct Limits {
    uint64_t memory_bytes = 0;  // that the process may have
    // That peers who do as they should may have sent ahead, all of them: whatever the memory, they
    // are not cut off for it.
    uint64_t sent_ahead_bytes = 0;
  };
  struct Victim {
    uint64_t connection;
    uint64_t untaken_bytes;
  };

  // Kept free of the memory, for what comes until the next look and while a connection ends.
  static constexpr uint64_t kReserveBytes = 16 << 20;
  // Of all connections together, forgotten each second: headers, frames, pings, encryption, small
  // requests, and what was sent ahead of a call's end, none of which stays. What comes as slowly as
  // this and does stay, gRPC's own quota cuts off in time.
  static constexpr uint64_t kForgottenEachSecond = 16 << 20;
  // Nothing comes in faster than this.
  static constexpr double kFastestBytesPerSecond = 10e9;
  static constexpr absl::Duration kShortestWait = absl::Milliseconds(1);
  static constexpr absl::Duration kLongestWait = absl::Milliseconds(50);

  // A connection's totals since its begin: what the kernel got, and what calls took of it. Neither
  // ever falls.
  void Update(uint64_t connection, uint64_t received_bytes, uint64_t taken_bytes);
  void Remove(uint64_t connection) { connections_.erase(connection); }

  // Once for each look, after the updates: whom to cut off now, if anybody. A peer with the most
  // untaken bytes; only if the process has less than the reserve left, and the peers more on their
  // way than those who do as they should. `now` never goes back.
  std::optional<Victim> Look(const Limits& limits, uint64_t process_bytes, absl::Time now);
  // How long nothing can happen after a look.
  static absl::Duration NextLook(const Limits& limits, uint64_t process_bytes);

  uint64_t total() const;

 private:
  struct Connection {
    uint64_t received = 0;
    uint64_t taken = 0;
    uint64_t untaken = 0;
  };

  void Forget(absl::Time now);

  std::map<uint64_t, Connection> connections_;
  absl::Time last_ = absl::InfinitePast();
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_
