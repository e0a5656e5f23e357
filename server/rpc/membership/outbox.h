// SPDX-License-Identifier: Apache-2.0
// What one member still has to hear, and how its stream ends: says what is to be written next, one
// message at a time. Pure state; not thread-safe.
#ifndef CONADV_SERVER_RPC_MEMBERSHIP_OUTBOX_H_
#define CONADV_SERVER_RPC_MEMBERSHIP_OUTBOX_H_

#include <deque>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "conadv/v1/coordinator.pb.h"

namespace conadv {

class Outbox {
 public:
  // Nothing is taken after the end was.
  void Push(v1::JoinResponse message) {
    if (!end_.has_value()) messages_.push_back(std::move(message));
  }
  // The first one counts.
  void End(const absl::Status& status) {
    if (!end_.has_value()) end_ = status;
  }
  // What was written is, or nothing can be any more.
  void OnWritten(bool ok) {
    writing_ = false;
    if (!ok) messages_.clear();
  }

  // What to do now, if anything: to write a message, which stays until OnWritten, or to finish the
  // stream, once.
  const v1::JoinResponse* NextMessage() {
    if (writing_ || finished_ || messages_.empty()) return nullptr;
    writing_ = true;
    written_ = std::move(messages_.front());
    messages_.pop_front();
    return &written_;
  }
  std::optional<absl::Status> TakeEnd() {
    if (writing_ || finished_ || !messages_.empty() || !end_.has_value()) return std::nullopt;
    finished_ = true;
    return end_;
  }

 private:
  std::deque<v1::JoinResponse> messages_;
  v1::JoinResponse written_;
  bool writing_ = false;
  bool finished_ = false;
  std::optional<absl::Status> end_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_MEMBERSHIP_OUTBOX_H_
