// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/listening_sockets.h"

#include <linux/tcp.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "common/base/status_macros.h"
#include "common/wire/addresses.h"

namespace conadv {
namespace {

absl::Status SystemError() { return absl::UnavailableError(std::strerror(errno)); }

bool Set(int fd, int level, int option, int value) {
  return setsockopt(fd, level, option, &value, sizeof(value)) == 0;
}

struct Address {
  sockaddr_storage address{};
  socklen_t size = 0;

  uint16_t port() const {
    // sockaddr_in and sockaddr_in6 have it at one place.
    return ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
  }
  void set_port(uint16_t port) { reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port); }
};

absl::StatusOr<FileDescriptor> ListenOn(const Address& address) {
  const int family = address.address.ss_family;
  FileDescriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.open()) return SystemError();
  // Not SO_REUSEPORT: two servers on one port would share its connections between them.
  if (!Set(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1)) return SystemError();
  // Connections inherit both.
  if (!Set(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1) ||
      !Set(socket.get(), IPPROTO_TCP, TCP_USER_TIMEOUT,
           static_cast<int>(absl::ToInt64Milliseconds(kSilence)))) {
    return SystemError();
  }
  if (family == AF_INET6 && !Set(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, 0)) return SystemError();
  if (bind(socket.get(), reinterpret_cast<const sockaddr*>(&address.address), address.size) != 0 ||
      listen(socket.get(), SOMAXCONN) != 0) {
    return SystemError();
  }
  return socket;
}

absl::StatusOr<uint16_t> PortOf(const FileDescriptor& socket) {
  Address address;
  address.size = sizeof(address.address);
  if (getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address.address), &address.size) != 0)
    return SystemError();
  return address.port();
}

absl::StatusOr<std::vector<Address>> Resolve(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return absl::UnavailableError(gai_strerror(error));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(found, &freeaddrinfo);
  std::vector<Address> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    Address& address = addresses.emplace_back();
    std::memcpy(&address.address, one->ai_addr, one->ai_addrlen);
    address.size = one->ai_addrlen;
  }
  return addresses;
}

}  // namespace

absl::StatusOr<ListeningSockets> ListenOn(const std::string& address) {
  const size_t colon = address.rfind(':');
  const std::string port = address.substr(colon + 1);
  std::string host = address.substr(0, colon);
  if (absl::string_view bare = host; absl::ConsumePrefix(&bare, "[")) {
    host = std::string(absl::StripSuffix(bare, "]"));
  }
  // One socket of IPv6 serves IPv4, too; where there is no IPv6, IPv4 remains.
  const std::vector<std::string> hosts =
      IsWildcard(address) ? std::vector<std::string>{"::", "0.0.0.0"} : std::vector{host};
  ListeningSockets listening;
  absl::Status why = absl::UnavailableError("the host has no address");
  for (const std::string& one : hosts) {
    const absl::StatusOr<std::vector<Address>> found = Resolve(one, port);
    if (!found.ok()) why = found.status();
    for (Address socket_address : found.value_or(std::vector<Address>())) {
      if (listening.port != 0) socket_address.set_port(listening.port);
      absl::StatusOr<FileDescriptor> socket = ListenOn(socket_address);
      if (!socket.ok()) {
        why = socket.status();
        continue;
      }
      CONADV_ASSIGN_OR_RETURN(listening.port, PortOf(*socket));
      listening.sockets.push_back(*std::move(socket));
    }
    if (IsWildcard(address) && !listening.sockets.empty()) break;
  }
  if (listening.sockets.empty()) return why;
  return listening;
}

}  // namespace conadv
