// SPDX-License-Identifier: Apache-2.0
#include "common/shared_memory/local_socket.h"

#include <glog/logging.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr int kBacklog = 256;
// Messages are small: as many as the system allows without being asked, several hundred.
constexpr int kBufferBytes = 212992;
// A message comes with one file. The kernel closes what does not fit.
constexpr size_t kMostFiles = 1;

absl::Status Unavailable(absl::string_view what) {
  return absl::UnavailableError(absl::StrCat(what, ": ", std::strerror(errno)));
}

struct Address {
  sockaddr_un address{};
  socklen_t size = 0;
};

absl::StatusOr<Address> AddressOf(const std::string& name) {
  Address made;
  made.address.sun_family = AF_UNIX;
  // The first byte of an abstract name is 0.
  if (name.empty() || name.size() + 1 > sizeof(made.address.sun_path)) {
    return absl::InvalidArgumentError("a local socket's name has 1 to 107 bytes");
  }
  std::memcpy(made.address.sun_path + 1, name.data(), name.size());
  made.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
  return made;
}

absl::StatusOr<FileDescriptor> NewSocket() {
  FileDescriptor made(socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!made.open()) return Unavailable("a Unix socket");
  return made;
}

void Prepare(const FileDescriptor& socket) {
  setsockopt(socket.get(), SOL_SOCKET, SO_SNDBUF, &kBufferBytes, sizeof(kBufferBytes));
}

absl::Status CheckPeer(const FileDescriptor& socket) {
  ucred peer{};
  socklen_t size = sizeof(peer);
  if (getsockopt(socket.get(), SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return Unavailable("SO_PEERCRED");
  }
  if (peer.uid == geteuid()) return absl::OkStatus();
  return absl::PermissionDeniedError(absl::StrCat("process ", peer.pid, " is of user ", peer.uid,
                                                  ", this one of user ", geteuid()));
}

void TakeFiles(const msghdr& header, std::vector<FileDescriptor>* files) {
  for (const cmsghdr* part = CMSG_FIRSTHDR(&header); part != nullptr;
       part = CMSG_NXTHDR(const_cast<msghdr*>(&header), const_cast<cmsghdr*>(part))) {
    if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) continue;
    const size_t count = (part->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (size_t i = 0; i < count; ++i) {
      int file;
      std::memcpy(&file, CMSG_DATA(part) + i * sizeof(int), sizeof(int));
      files->emplace_back(file);
    }
  }
}

}  // namespace

absl::StatusOr<LocalSocket> LocalSocket::Connect(const std::string& name) {
  CONADV_ASSIGN_OR_RETURN(const Address to, AddressOf(name));
  CONADV_ASSIGN_OR_RETURN(FileDescriptor made, NewSocket());
  if (connect(made.get(), reinterpret_cast<const sockaddr*>(&to.address), to.size) != 0) {
    return Unavailable("connect");
  }
  CONADV_RETURN_IF_ERROR(CheckPeer(made));
  Prepare(made);
  return LocalSocket(std::move(made));
}

absl::Status LocalSocket::Send(absl::string_view bytes, int file) const {
  iovec data{const_cast<char*>(bytes.data()), bytes.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  if (file >= 0) {
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    cmsghdr* const rights = CMSG_FIRSTHDR(&header);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(sizeof(int));
    std::memcpy(CMSG_DATA(rights), &file, sizeof(int));
  }
  ssize_t sent;
  do {
    sent = sendmsg(fd(), &header, MSG_NOSIGNAL);
  } while (sent < 0 && errno == EINTR);
  if (sent < 0) return Unavailable("the local socket");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<LocalMessage>> LocalSocket::Receive() const {
  std::array<char, kMostLocalMessageBytes> buffer;
  alignas(cmsghdr) std::array<char, CMSG_LEN(kMostFiles * sizeof(int))> control;
  iovec data{buffer.data(), buffer.size()};
  msghdr header{};
  header.msg_iov = &data;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  ssize_t size;
  do {
    size = recvmsg(fd(), &header, MSG_CMSG_CLOEXEC);
  } while (size < 0 && errno == EINTR);
  if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return std::nullopt;
  if (size < 0) return Unavailable("the local socket");
  LocalMessage message;
  TakeFiles(header, &message.files);  // whatever comes of it, they are closed
  if ((header.msg_flags & MSG_CTRUNC) != 0) {
    return absl::InvalidArgumentError("a message comes with one file at most");
  }
  if ((header.msg_flags & MSG_TRUNC) != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("a message has at most ", kMostLocalMessageBytes, " bytes"));
  }
  // A message of no bytes is nobody's.
  if (size == 0) return absl::UnavailableError("the peer is gone");
  message.bytes.assign(buffer.data(), static_cast<size_t>(size));
  return message;
}

void LocalSocket::Shutdown() const { shutdown(fd(), SHUT_RDWR); }

bool LocalSocket::hung_up() const {
  pollfd state{fd(), POLLRDHUP, 0};
  return poll(&state, 1, 0) > 0 && (state.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

absl::StatusOr<LocalListener> LocalListener::Listen(const std::string& name) {
  CONADV_ASSIGN_OR_RETURN(const Address at, AddressOf(name));
  CONADV_ASSIGN_OR_RETURN(FileDescriptor made, NewSocket());
  if (bind(made.get(), reinterpret_cast<const sockaddr*>(&at.address), at.size) != 0) {
    return Unavailable("bind");
  }
  if (listen(made.get(), kBacklog) != 0) return Unavailable("listen");
  return LocalListener(std::move(made));
}

absl::StatusOr<std::optional<LocalSocket>> LocalListener::Accept() const {
  for (;;) {
    FileDescriptor made(accept4(fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!made.open()) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) return std::nullopt;
      return Unavailable("accept");
    }
    const absl::Status peer = CheckPeer(made);
    if (!peer.ok()) {
      LOG(WARNING) << "shared memory: " << peer.message() << "; it is sent away";
      continue;
    }
    Prepare(made);
    return LocalSocket(std::move(made));
  }
}

}  // namespace conadv
