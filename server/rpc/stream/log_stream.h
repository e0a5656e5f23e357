// SPDX-License-Identifier: Apache-2.0
// A server stream that follows a WatchLog: one message a record, from an index on. Deletes itself
// after the call.
#ifndef CONADV_SERVER_RPC_STREAM_LOG_STREAM_H_
#define CONADV_SERVER_RPC_STREAM_LOG_STREAM_H_

#include <grpcpp/support/server_callback.h>

#include <functional>
#include <memory>
#include <utility>

#include "common/thread/mutex.h"
#include "common/wire/status.h"
#include "server/record/watch_log.h"

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
      : log_(log), next_(from), convert_(std::move(convert)) {}

  void Ask() {
    // The record may come, be written and end the call on other threads before Get returns.
    const std::shared_ptr<LogStream> self = self_;
    uint64_t round;
    {
      MutexLock lock(&mutex_);
      wait_ = 0;
      round = ++round_;
    }
    const uint64_t id = log_->Get(next_, [self](auto entry) { self->OnEntry(std::move(entry)); });
    bool abandon;
    {
      MutexLock lock(&mutex_);
      if (id == 0 || round != round_) return;
      wait_ = id;
      abandon = cancelled_;
    }
    if (abandon) Abandon(id);
  }

  void OnEntry(absl::StatusOr<typename WatchLog<Record>::Entry> entry) {
    if (!entry.ok()) {
      return this->Finish(absl::IsOutOfRange(entry.status()) ? grpc::Status::OK
                                                             : ToGrpc(entry.status()));
    }
    next_ = entry->index + 1;
    message_ = convert_(entry->index, entry->record);
    this->StartWrite(&message_);
  }

  void OnWriteDone(bool ok) override {
    if (!ok) return this->Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher is gone"));
    Ask();
  }

  void OnCancel() override {
    uint64_t id;
    {
      MutexLock lock(&mutex_);
      cancelled_ = true;
      id = wait_;
    }
    if (id != 0) Abandon(id);
  }

  // Whoever takes the wait out of the log finishes the call.
  void Abandon(uint64_t id) {
    if (!log_->Cancel(id)) return;
    this->Finish(grpc::Status(grpc::StatusCode::CANCELLED, "the watcher is gone"));
  }

  void OnDone() override { self_.reset(); }

  WatchLog<Record>* const log_;
  uint64_t next_;
  const Convert convert_;
  Message message_;
  std::shared_ptr<LogStream> self_;  // until the call is done
  Mutex mutex_;
  uint64_t wait_ ABSL_GUARDED_BY(mutex_) = 0;
  uint64_t round_ ABSL_GUARDED_BY(mutex_) = 0;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
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
