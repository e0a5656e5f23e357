// SPDX-License-Identifier: Apache-2.0
// A network between two ends of this machine on which every byte is under way for a while, and
// which has room for all that is: a TCP proxy. One thread of its own.
#ifndef CONADV_TESTS_BENCH_SIMULATE_DELAYED_LINK_H_
#define CONADV_TESTS_BENCH_SIMULATE_DELAYED_LINK_H_

#include <atomic>
#include <deque>
#include <list>
#include <string>
#include <thread>
#include <vector>

#include "absl/time/time.h"
#include "common/os/file_descriptor.h"

namespace conadv::bench {

class DelayedLink {
 public:
  // Listens; whoever connects waits until Connect().
  explicit DelayedLink(absl::Duration delay);
  ~DelayedLink();

  const std::string& address() const { return address_; }
  // To the server at this address, once.
  void Connect(const std::string& server);

 private:
  struct Portion {
    absl::Time due;
    std::string bytes;
    size_t sent = 0;
  };
  struct Direction {
    std::deque<Portion> portions;  // what is under way
    bool closed = false;           // nothing more comes
    bool ended = false;            // and the other end knows
  };
  struct Connection {
    FileDescriptor ends[2];
    Direction from[2];  // by the end that sends
  };

  void Loop();
  void Accept();
  // Takes what an end has sent, and gives what is due to the other. False: the connection is over.
  bool Move(Connection* connection, absl::Time now) const;

  const absl::Duration delay_;
  std::string address_;
  int server_port_ = 0;
  FileDescriptor listener_;
  std::list<Connection> connections_;
  std::atomic<bool> stopped_{false};
  std::thread thread_;
};

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_DELAYED_LINK_H_
