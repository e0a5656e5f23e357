// SPDX-License-Identifier: Apache-2.0
// Which process serves which shard, and who may. Pure state; not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_SHARD_SEATS_H_
#define CONADV_SERVER_COORDINATE_SHARD_SEATS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/coordinate/membership.h"

namespace conadv {

class ShardSeats {
 public:
  struct Seat {
    std::string address;  // empty: nobody has joined as this shard
    MemberId member;
    std::string checkpoint_error;  // of the last one
  };

  explicit ShardSeats(uint32_t shards) : seats_(shards) {}

  // Whether what the member was told of the run's servers is so. INVALID_ARGUMENT: it is not.
  absl::Status CheckServers(const HelloMessage& hello) const;
  // Whether the run has this shard. INVALID_ARGUMENT: it has not.
  absl::Status CheckNumber(const HelloMessage& hello) const;
  // The answer to a process at another address than that of `holder`, who has the seat.
  // UNAVAILABLE: it is to try again until one of the two is gone. INVALID_ARGUMENT: both are alive.
  absl::Status RefuseRival(const HelloMessage& hello, const Member& holder, absl::Time now);
  // REQUIRES, here and below: CheckNumber(hello), or shard < the number of shards.
  void Take(const HelloMessage& hello, MemberId member);
  // The seat's holder has been heard.
  void OnHeard(uint32_t shard);

  Seat& at(uint32_t shard) { return seats_[shard]; }
  const std::vector<Seat>& all() const { return seats_; }
  bool complete() const { return taken_ == seats_.size(); }
  // The shards as which nobody has joined.
  std::vector<uint32_t> Missing() const;
  // By shard.
  std::vector<std::string> Addresses() const;

 private:
  // Another process that wants to be a shard that has one.
  struct Rival {
    std::string address;    // empty: there is none
    bool outlived = false;  // the seat's holder has been heard since
  };

  std::vector<Seat> seats_;
  std::vector<Rival> rivals_{seats_.size()};
  size_t taken_ = 0;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_SHARD_SEATS_H_
