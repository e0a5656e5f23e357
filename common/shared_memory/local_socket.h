// SPDX-License-Identifier: Apache-2.0
// Messages between processes of one machine, files along with them: a Unix socket that keeps
// messages whole, named in the abstract namespace, so that the name is gone with its process. Only
// processes of the same user, in the same network namespace, come through. Nothing blocks.
// Sending, Shutdown and hung_up are thread-safe; one thread receives.
#ifndef CONADV_COMMON_SHARED_MEMORY_LOCAL_SOCKET_H_
#define CONADV_COMMON_SHARED_MEMORY_LOCAL_SOCKET_H_

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "common/os/file_descriptor.h"

namespace conadv {

inline constexpr size_t kMostLocalMessageBytes = size_t{64} << 10;

struct LocalMessage {
  std::string bytes;
  std::vector<FileDescriptor> files;
};

class LocalSocket {
 public:
  // UNAVAILABLE: nobody has that name here. PERMISSION_DENIED: another user's process does.
  static absl::StatusOr<LocalSocket> Connect(const std::string& name);

  // With `file`, an open one, unless it is negative. UNAVAILABLE: the peer is gone, or does not
  // take what it is sent.
  absl::Status Send(absl::string_view bytes, int file = -1) const;
  // Nothing: there is none now. UNAVAILABLE: the peer is gone. INVALID_ARGUMENT: its message is too
  // long, or more files came with it than there is room for.
  absl::StatusOr<std::optional<LocalMessage>> Receive() const;
  // Both ends hear of it at once; the descriptor stays.
  void Shutdown() const;
  // Either end has shut it down, or the peer is gone.
  bool hung_up() const;
  int fd() const { return socket_.get(); }

 private:
  friend class LocalListener;
  explicit LocalSocket(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
};

class LocalListener {
 public:
  // UNAVAILABLE, with the reason.
  static absl::StatusOr<LocalListener> Listen(const std::string& name);

  // Nothing: nobody waits. Whoever is another user's is sent away with a log line.
  absl::StatusOr<std::optional<LocalSocket>> Accept() const;
  int fd() const { return socket_.get(); }

 private:
  explicit LocalListener(FileDescriptor socket) : socket_(std::move(socket)) {}

  FileDescriptor socket_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_SHARED_MEMORY_LOCAL_SOCKET_H_
