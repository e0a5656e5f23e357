// SPDX-License-Identifier: Apache-2.0
// A process of this machine as a server sees it: messages and files, whatever they are. One thread.
#ifndef CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PEER_H_
#define CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PEER_H_

#include <gtest/gtest.h>
#include <poll.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "common/protocol/shared_memory_message.h"
#include "common/shared_memory/local_socket.h"
#include "common/shared_memory/segment.h"

namespace conadv {

class LocalPeer {
 public:
  explicit LocalPeer(const std::string& name) : socket_(*LocalSocket::Connect(name)) {}

  void Send(const SharedRequest& request, int file = -1) {
    SendBytes(EncodeSharedRequest(request), file);
  }
  void SendBytes(const std::string& bytes, int file = -1) {
    EXPECT_TRUE(socket_.Send(bytes, file).ok());
  }
  // The next answer; UNAVAILABLE: it was cut off.
  absl::StatusOr<SharedResponse> Receive() {
    for (;;) {
      absl::StatusOr<std::optional<LocalMessage>> message = socket_.Receive();
      if (!message.ok()) return message.status();
      if (!message->has_value()) {
        pollfd file{socket_.fd(), POLLIN, 0};
        EXPECT_EQ(poll(&file, 1, 30'000), 1) << "nothing comes";
        if (file.revents == 0) return absl::DeadlineExceededError("nothing comes");
        continue;
      }
      absl::StatusOr<SharedResponse> response = ParseSharedResponse((*message)->bytes);
      const auto* pulled = response.ok() ? std::get_if<SharedPulled>(&response->content) : nullptr;
      if (pulled != nullptr && !(*message)->files.empty()) {
        files_came_++;
        mapped_[pulled->segment.id] =
            *PeerSegment::Open((*message)->files.front(), pulled->segment.bytes);
      }
      return response;
    }
  }
  // Of an answer to a pull.
  const float* Values(const SharedResponse& response) const {
    const uint64_t id = std::get<SharedPulled>(response.content).segment.id;
    return static_cast<const float*>(mapped_.at(id)->data());
  }
  int files_came() const { return files_came_; }
  const LocalSocket& socket() const { return socket_; }

 private:
  const LocalSocket socket_;
  std::map<uint64_t, std::unique_ptr<const PeerSegment>> mapped_;
  int files_came_ = 0;
};

}  // namespace conadv

#endif  // CONADV_TESTS_SERVER_TRANSFER_SHARED_MEMORY_LOCAL_PEER_H_
