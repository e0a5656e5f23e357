// SPDX-License-Identifier: Apache-2.0
// What peers have sent and no call has taken, by connection, and who is to be cut off when memory
// runs out. gRPC looks at a message's size only when all of the message is there, cancels calls
// beyond its quota more slowly than a peer can send, and counts there what it read, not the lists
// that it keeps of it, which are longer where frames are small. Only the kernel knows in time what
// came in. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_
#define CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

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
  struct Decision {
    // Nothing is known before the allocator has given back what is free: to look again after that.
    bool release = false;
    std::vector<Victim> cut_off;
  };

  // Kept free of the memory, for what comes until the next look, on a busy machine, and while
  // connections end.
  static constexpr uint64_t kReserveBytes = 40 << 20;
  // Not all that comes is a message, or is taken as one: headers, frames, pings, encryption, small
  // requests, and what was sent ahead of a call that ended. None of it stays. So much of it, of all
  // connections together, is nobody's rush.
  static constexpr uint64_t kNoRushEachSecond = 16 << 20;
  // What came as slowly as that counts where memory runs out all the same, and is forgotten by half
  // in 12 minutes.
  static constexpr double kForgottenEachSecond = 1e-3;
  // The least time from one release to the next, and so between two who are cut off though they
  // have not rushed.
  static constexpr absl::Duration kReleaseEach = absl::Milliseconds(100);
  // Nothing comes in faster than this.
  static constexpr double kFastestBytesPerSecond = 10e9;
  static constexpr absl::Duration kShortestWait = absl::Milliseconds(1);
  static constexpr absl::Duration kLongestWait = absl::Milliseconds(50);

  // A connection's totals since its begin: what the kernel got, and what calls took of it. Neither
  // ever falls.
  void Update(uint64_t connection, uint64_t received_bytes, uint64_t taken_bytes);
  void Remove(uint64_t connection) { connections_.erase(connection); }

  // Once for each look, after the updates. Somebody is cut off only if the process has less than
  // the reserve left, and the peers have sent more than they may ahead: at once if they rushed,
  // those with the most until it is no more; else the one with the most, if a release has not
  // helped. `now` never goes back.
  Decision Look(const Limits& limits, uint64_t process_bytes, absl::Time now);
  // How long nothing can happen after a look.
  static absl::Duration NextLook(const Limits& limits, uint64_t process_bytes);

 private:
  struct Connection {
    uint64_t received = 0;
    uint64_t taken = 0;
    double rush = 0;     // bytes that came lately and were not taken
    double untaken = 0;  // bytes that ever were not, less what is forgotten
  };

  void Forget(absl::Time now);
  double Total(double Connection::*bytes) const;
  Victim TakeMost(double Connection::*bytes);

  std::map<uint64_t, Connection> connections_;
  std::optional<absl::Time> last_;  // look
  absl::Time released_ = absl::InfinitePast();
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_CONNECTIONS_UNTAKEN_BYTES_H_
