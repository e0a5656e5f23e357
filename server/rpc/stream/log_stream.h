// SPDX-License-Identifier: Apache-2.0
// A server stream that follows a WatchLog: one message a record, from an index on. Deletes itself
// after the call.
#ifndef CONADV_SERVER_RPC_STREAM_LOG_STREAM_H_
#define CONADV_SERVER_RPC_STREAM_LOG_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "common/wire/status.h"
#include "server/record/log_follower.h"

namespace conadv {

template <class Record, class Message>
class LogStream final : public grpc::ServerWriteReactor<Message> {
 public:
  using Convert = std::function<Message(uint64_t index, const Record& record)>;

  static grpc::ServerWriteReactor<Message>* Start(WatchLog<Record>* log, uint64_t from,
                                                  Convert convert) {
    std::shared_ptr<LogStream> stream(new LogStream(log, from, std::move(convert)));
    stream->self_ = stream;
    stream->Ask();
    return stream.get();
  }

 private:
  LogStream(WatchLog<Record>* log, uint64_t from, Convert convert)
      : follower_(log, from), convert_(std::move(convert)) {}

  void Ask() {
    // The record may come, be written and end the call on other threads before Await returns.
    const std::shared_ptr<LogStream> self = self_;
    if (follower_.Await([self](auto entry) { self->OnEntry(std::move(entry)); })) GiveUp();
  }

  void OnEntry(absl::StatusOr<typename WatchLog<Record>::Entry> entry) {
    if (!entry.ok()) {
      return this->Finish(absl::IsOutOfRange(entry.status()) ? grpc::Status::OK
                                                             : ToGrpc(entry.status()));
    }
    follower_.OnRecord(entry->index);
    message_ = convert_(entry->index, entry->record);
    this->StartWrite(&message_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return GiveUp();
    Ask();
  }
  // Whoever takes the wait out of the log finishes the call.
  void OnCancel() override {
    if (follower_.Cancel()) GiveUp();
  }
  void GiveUp() { this->Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher is gone")); }
  void OnDone() override { self_.reset(); }

  LogFollower<Record> follower_;
  const Convert convert_;
  Message message_;
  std::shared_ptr<LogStream> self_;  // until the call is done
};

// A stream that is refused.
template <class Message>
class RefusedStream final : public grpc::ServerWriteReactor<Message> {
 public:
  explicit RefusedStream(const grpc::Status& status) { this->Finish(status); }
  void OnDone() override { delete this; }
};

}  // namespace conadv

#endif  // CONADV_SERVER_RPC_STREAM_LOG_STREAM_H_
