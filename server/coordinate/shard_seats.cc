// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/shard_seats.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace conadv {

absl::Status ShardSeats::CheckServers(const HelloMessage& hello) const {
  if (hello.shards != 0 && hello.shards != seats_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(hello.name, " was told of ", hello.shards,
                     " shards (--shards, --servers), but this run has ", seats_.size()));
  }
  if (hello.servers.empty()) return absl::OkStatus();
  if (hello.servers.size() != seats_.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat(hello.name, " was told of ", hello.servers.size(),
                     " servers (--servers), but this run has ", seats_.size()));
  }
  for (uint32_t shard = 0; shard < seats_.size(); ++shard) {
    const std::string& address = seats_[shard].address;
    if (address.empty() || address == hello.servers[shard]) continue;
    return absl::InvalidArgumentError(absl::StrCat(hello.name, " was told that shard ", shard,
                                                   " is at ", hello.servers[shard],
                                                   " (--servers), but it is at ", address));
  }
  return absl::OkStatus();
}

absl::Status ShardSeats::CheckNumber(const HelloMessage& hello) const {
  if (hello.shard < seats_.size() && (hello.shard == 0) == hello.local) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("shard ", hello.shard, " of ", hello.name,
                                                 ": this run has shards 0 to ", seats_.size() - 1,
                                                 ", and shard 0 is the coordinator's own"));
}

// An address is one process's, so at the same one it is a new process, and the former is gone. At
// another one the former may be gone too without anyone knowing yet: once it has been heard again,
// it is not.
absl::Status ShardSeats::RefuseRival(const HelloMessage& hello, const Member& holder,
                                     absl::Time now) {
  Rival& rival = rivals_[hello.shard];
  const std::string what = absl::StrCat("shard ", hello.shard, " is already served by ",
                                        holder.hello.name, " at ", seats_[hello.shard].address,
                                        ", heard ", absl::FormatDuration(now - holder.heard),
                                        " ago; so ", hello.name, " at ", hello.address);
  if (rival.address == hello.address && rival.outlived) {
    return absl::InvalidArgumentError(
        absl::StrCat(what, " is refused: stop the first, or give this one another --shard"));
  }
  if (std::exchange(rival.address, hello.address) != hello.address) rival.outlived = false;
  return absl::UnavailableError(absl::StrCat(what, " waits until it is gone, or heard again"));
}

void ShardSeats::Take(const HelloMessage& hello, MemberId member) {
  Seat& seat = seats_[hello.shard];
  if (seat.address.empty() && !hello.address.empty()) ++taken_;
  seat.address = hello.address;
  seat.member = member;
}

void ShardSeats::OnHeard(uint32_t shard) {
  rivals_[shard].outlived = !rivals_[shard].address.empty();
}

std::vector<uint32_t> ShardSeats::Missing() const {
  std::vector<uint32_t> missing;
  for (uint32_t shard = 0; shard < seats_.size(); ++shard) {
    if (seats_[shard].address.empty()) missing.push_back(shard);
  }
  return missing;
}

std::vector<std::string> ShardSeats::Addresses() const {
  std::vector<std::string> addresses;
  for (const Seat& seat : seats_) addresses.push_back(seat.address);
  return addresses;
}

}  // namespace conadv
