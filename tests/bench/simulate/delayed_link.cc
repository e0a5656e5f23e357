// SPDX-License-Identifier: Apache-2.0
#include "tests/bench/simulate/delayed_link.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/clock.h"
#include "tests/bench/simulate/cluster.h"

namespace conadv::bench {
namespace {

constexpr size_t kPortion = size_t{256} << 10;
// How soon it sees that it is to stop, or to connect.
constexpr absl::Duration kLook = absl::Milliseconds(100);

void Check(bool ok, const char* what) {
  if (ok) return;
  std::perror(what);
  std::exit(1);
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

void SendAtOnce(int socket) {
  const int on = 1;
  setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

bool TryLater(ssize_t result) { return result < 0 && (errno == EAGAIN || errno == EINTR); }

}  // namespace

DelayedLink::DelayedLink(absl::Duration delay) : delay_(delay) {
  listener_ = FileDescriptor(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  auto* const name = reinterpret_cast<sockaddr*>(&address);
  Check(bind(listener_.get(), name, size) == 0 && listen(listener_.get(), 128) == 0, "bind");
  Check(getsockname(listener_.get(), name, &size) == 0, "getsockname");
  address_ = absl::StrCat("127.0.0.1:", ntohs(address.sin_port));
}

DelayedLink::~DelayedLink() {
  stopped_ = true;
  if (thread_.joinable()) thread_.join();
}

void DelayedLink::Connect(const std::string& server) {
  server_port_ = std::stoi(server.substr(server.rfind(':') + 1));
  thread_ = std::thread([this] { Loop(); });
}

void DelayedLink::Loop() {
  std::vector<pollfd> looks;
  while (!stopped_) {
    absl::Time now = Clock::Real().Now();
    absl::Duration wait = kLook;
    looks.assign({{listener_.get(), POLLIN, 0}});
    for (const Connection& connection : connections_) {
      for (int end = 0; end < 2; ++end) {
        const Direction& from = connection.from[end];
        const Direction& to = connection.from[1 - end];
        short events = from.closed ? 0 : POLLIN;
        if (!to.portions.empty()) {
          const absl::Duration left = to.portions.front().due - now;
          if (left <= absl::ZeroDuration()) events |= POLLOUT;
          if (left > absl::ZeroDuration()) wait = std::min(wait, left);
        }
        looks.push_back({connection.ends[end].get(), events, 0});
      }
    }
    const timespec time = absl::ToTimespec(wait);
    ppoll(looks.data(), looks.size(), &time, nullptr);
    if (looks[0].revents != 0) Accept();
    now = Clock::Real().Now();
    connections_.remove_if([&](Connection& connection) { return !Move(&connection, now); });
  }
}

void DelayedLink::Accept() {
  FileDescriptor client(accept4(listener_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (!client.open()) return;
  FileDescriptor server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address = Loopback(server_port_);
  if (connect(server.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)) != 0) return;
  SendAtOnce(client.get());
  SendAtOnce(server.get());
  Connection& connection = connections_.emplace_back();
  connection.ends[0] = std::move(client);
  connection.ends[1] = std::move(server);
}

bool DelayedLink::Move(Connection* connection, absl::Time now) const {
  for (int end = 0; end < 2; ++end) {
    Direction& from = connection->from[end];
    while (!from.closed) {
      Portion portion{now + delay_, std::string(kPortion, '\0')};
      const ssize_t got =
          recv(connection->ends[end].get(), portion.bytes.data(), kPortion, MSG_DONTWAIT);
      if (TryLater(got)) break;
      if (got <= 0) from.closed = true;
      if (got <= 0) break;
      portion.bytes.resize(static_cast<size_t>(got));
      from.portions.push_back(std::move(portion));
    }
    const int to = connection->ends[1 - end].get();
    while (!from.portions.empty() && from.portions.front().due <= now) {
      Portion& portion = from.portions.front();
      const ssize_t sent = send(to, portion.bytes.data() + portion.sent,
                                portion.bytes.size() - portion.sent, MSG_DONTWAIT | MSG_NOSIGNAL);
      if (TryLater(sent)) break;
      if (sent <= 0) return false;
      portion.sent += static_cast<size_t>(sent);
      if (portion.sent == portion.bytes.size()) from.portions.pop_front();
    }
    if (from.closed && from.portions.empty() && !from.ended) {
      from.ended = true;
      shutdown(to, SHUT_WR);
    }
  }
  return !(connection->from[0].ended && connection->from[1].ended);
}

}  // namespace conadv::bench
