// SPDX-License-Identifier: Apache-2.0
// What a socket can do: a process of its own that sends and receives bytes without a protocol, from
// and to memory that is there already. One thread.
#ifndef CONADV_TESTS_BENCH_WIRE_RAW_PEER_H_
#define CONADV_TESTS_BENCH_WIRE_RAW_PEER_H_

#include <sys/types.h>

#include <cstddef>
#include <vector>

namespace conadv::bench {

class RawPeer {
 public:
  enum class Kind { kTcp, kUnix };
  // Forks: make it before there are threads. Exits with a message if there are no sockets.
  RawPeer(Kind kind, size_t most_bytes);
  ~RawPeer();
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;

  // Seconds until so many bytes are here, or are there and acknowledged. REQUIRES: ≤ most_bytes.
  double Receive(size_t bytes);
  double Send(size_t bytes);

 private:
  void Serve(int socket);

  std::vector<char> buffer_;
  int socket_ = -1;
  pid_t child_ = -1;
};

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_WIRE_RAW_PEER_H_
