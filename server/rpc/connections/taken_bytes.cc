// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/connections/taken_bytes.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"

namespace conadv {
namespace {

std::string NameOf(int family, const void* address, uint32_t scope, uint16_t port) {
  char text[INET6_ADDRSTRLEN];
  if (inet_ntop(family, address, text, sizeof(text)) == nullptr) return "";
  if (family == AF_INET) return absl::StrCat(text, ":", ntohs(port));
  return absl::StrCat("[", text, scope == 0 ? "" : absl::StrCat("%", scope), "]:", ntohs(port));
}

}  // namespace

std::string PeerName(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in;
    std::memcpy(&in, &address, sizeof(in));
    return NameOf(AF_INET, &in.sin_addr, 0, in.sin_port);
  }
  if (address.ss_family != AF_INET6) return "";
  sockaddr_in6 in;
  std::memcpy(&in, &address, sizeof(in));
  if (!IN6_IS_ADDR_V4MAPPED(&in.sin6_addr)) {
    return NameOf(AF_INET6, &in.sin6_addr, in.sin6_scope_id, in.sin6_port);
  }
  return NameOf(AF_INET, &in.sin6_addr.s6_addr[12], 0, in.sin6_port);
}

std::string PeerName(absl::string_view peer) {
  if (!absl::StartsWith(peer, "ipv4:") && !absl::StartsWith(peer, "ipv6:")) return "";
  return absl::StrReplaceAll(peer.substr(5), {{"%5B", "["}, {"%5D", "]"}, {"%25", "%"}});
}

TakenBytes::Counter TakenBytes::Add(const std::string& name) {
  auto counter = std::make_shared<std::atomic<uint64_t>>(0);
  MutexLock lock(&mutex_);
  counters_[name] = counter;
  return counter;
}

void TakenBytes::Remove(const std::string& name, const Counter& counter) {
  MutexLock lock(&mutex_);
  const auto found = counters_.find(name);
  if (found != counters_.end() && found->second == counter) counters_.erase(found);
}

TakenBytes::Counter TakenBytes::Find(absl::string_view peer) const {
  const std::string name = PeerName(peer);
  {
    MutexLock lock(&mutex_);
    const auto found = counters_.find(name);
    if (found != counters_.end()) return found->second;
  }
  return std::make_shared<std::atomic<uint64_t>>(0);
}

}  // namespace conadv
