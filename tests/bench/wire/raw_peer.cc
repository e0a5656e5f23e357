// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/wire/raw_peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "tests/bench/wire/stopwatch.h"

namespace conadv::bench {
namespace {

struct Command {
  uint64_t bytes = 0;
  bool send = false;  // the child does
};

void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

// False: the other end is gone.
bool SendAll(int socket, const void* data, size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t sent = send(socket, next, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
    next += sent;
    size -= static_cast<size_t>(sent);
  }
  return true;
}

bool ReceiveAll(int socket, void* data, size_t size) {
  char* next = static_cast<char*>(data);
  while (size > 0) {
    const ssize_t got = recv(socket, next, size, 0);
    if (got <= 0) return false;
    next += got;
    size -= static_cast<size_t>(got);
  }
  return true;
}

void TcpPair(int ends[2]) {
  const int listening = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  Check(bind(listening, name, size) == 0 && listen(listening, 1) == 0, "bind");
  Check(getsockname(listening, name, &size) == 0, "getsockname");
  ends[0] = socket(AF_INET, SOCK_STREAM, 0);
  Check(connect(ends[0], name, size) == 0, "connect");
  ends[1] = accept(listening, nullptr, nullptr);
  Check(ends[1] >= 0, "accept");
  close(listening);
  const int on = 1;
  for (int i = 0; i < 2; ++i) setsockopt(ends[i], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

}  // namespace

RawPeer::RawPeer(Kind kind, size_t most_bytes) : buffer_(most_bytes, 1) {
  int ends[2];
  if (kind == Kind::kTcp) {
    TcpPair(ends);
  } else {
    Check(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0, "socketpair");
  }
  child_ = fork();
  Check(child_ >= 0, "fork");
  if (child_ == 0) {
    close(ends[0]);
    std::fill(buffer_.begin(), buffer_.end(), 2);  // pages of its own
    Serve(ends[1]);
    _exit(0);
  }
  close(ends[1]);
  socket_ = ends[0];
}

RawPeer::~RawPeer() {
  close(socket_);
  waitpid(child_, nullptr, 0);
}

void RawPeer::Serve(int socket) {
  Command command;
  while (ReceiveAll(socket, &command, sizeof(command))) {
    if (command.send) {
      SendAll(socket, buffer_.data(), command.bytes);
    } else if (ReceiveAll(socket, buffer_.data(), command.bytes)) {
      SendAll(socket, "!", 1);
    }
  }
}

double RawPeer::Receive(size_t bytes) {
  const auto begin = std::chrono::steady_clock::now();
  const Command command{bytes, true};
  Check(SendAll(socket_, &command, sizeof(command)) && ReceiveAll(socket_, buffer_.data(), bytes),
        "the raw peer is gone");
  return SecondsSince(begin);
}

double RawPeer::Send(size_t bytes) {
  const auto begin = std::chrono::steady_clock::now();
  const Command command{bytes, false};
  char answer = 0;
  Check(SendAll(socket_, &command, sizeof(command)) && SendAll(socket_, buffer_.data(), bytes) &&
            ReceiveAll(socket_, &answer, 1),
        "the raw peer is gone");
  return SecondsSince(begin);
}

}  // namespace conadv::bench
