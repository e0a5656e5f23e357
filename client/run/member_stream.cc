// SPDX-License-Identifier: Apache-2.0
#include "client/run/member_stream.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>

#include <algorithm>
#include <deque>
#include <utility>

#include "common/thread/mutex.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {
namespace {

class Stream final : public grpc::ClientBidiReactor<v1::JoinRequest, v1::JoinResponse>,
                     public MemberStream,
                     public std::enable_shared_from_this<Stream> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel, Timer* timer, Events events)
      : stub_(v1::Coordinator::NewStub(channel)), timer_(timer), events_(std::move(events)) {}

  void Start(v1::Hello hello) override {
    self_ = shared_from_this();
    stub_->async()->Join(&context_, this);
    AddHold();  // for the writes that other threads start
    StartRead(&response_);
    v1::JoinRequest request;
    *request.mutable_hello() = std::move(hello);
    Send(std::move(request));
    StartCall();
  }

  void Send(v1::JoinRequest request) override {
    MutexLock lock(&mutex_);
    if (closed_ || left_) return;
    left_ = request.leave();
    if (request.has_done() && outgoing_.size() > (writing_ ? 1 : 0) &&
        outgoing_.back().has_done()) {
      outgoing_.back().mutable_done()->MergeFrom(request.done());
    } else {
      outgoing_.push_back(std::move(request));
    }
    if (!writing_) WriteNext();
  }

  void Cancel() override { context_.TryCancel(); }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && !closed_) WriteNext();
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        MutexLock lock(&mutex_);
        closed_ = true;
      }
      RemoveHold();
      return;
    }
    if (events_.response) events_.response(response_);
    if (response_.has_welcome()) Beat(LeaseOf(response_.welcome()) / 3);
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    const auto closed = std::move(events_.closed);
    // Let go on the timer's thread, maybe while we are still here: gRPC 1.51 aborts when one of its
    // own threads lets go of the last channel, and the stream holds one.
    timer_->After(absl::ZeroDuration(), [self = std::move(self_)] {});
    if (closed) closed(FromGrpc(status));
  }

 private:
  // The front is what is being written.
  void WriteNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (started_) outgoing_.pop_front();
    started_ = !outgoing_.empty();
    if (!started_) return;
    writing_ = true;
    if (outgoing_.front().has_leave()) {
      StartWriteLast(&outgoing_.front(), grpc::WriteOptions());
    } else {
      StartWrite(&outgoing_.front());
    }
  }

  void Beat(absl::Duration interval) {
    timer_->After(interval, [weak = weak_from_this(), interval] {
      const std::shared_ptr<Stream> self = weak.lock();
      if (self == nullptr || self->closed()) return;
      v1::JoinRequest request;
      v1::Heartbeat* const heartbeat = request.mutable_heartbeat();
      if (self->events_.heartbeat) self->events_.heartbeat(heartbeat);
      self->Send(std::move(request));
      self->Beat(interval);
    });
  }

  bool closed() const {
    MutexLock lock(&mutex_);
    return closed_;
  }

  const std::unique_ptr<v1::Coordinator::Stub> stub_;
  Timer* const timer_;
  Events events_;
  grpc::ClientContext context_;
  v1::JoinResponse response_;
  std::shared_ptr<Stream> self_;
  mutable Mutex mutex_;
  std::deque<v1::JoinRequest> outgoing_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool started_ ABSL_GUARDED_BY(mutex_) = false;
  bool closed_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
};

}  // namespace

absl::Duration LeaseOf(const v1::Welcome& welcome) {
  return absl::Seconds(std::clamp(welcome.lease_seconds(), 0.1, 3600.0));
}

void MemberStream::Leave() {
  v1::JoinRequest request;
  request.set_leave(true);
  Send(std::move(request));
}

std::shared_ptr<MemberStream> MakeMemberStream(const std::shared_ptr<grpc::Channel>& channel,
                                               Timer* timer, MemberStream::Events events) {
  return std::make_shared<Stream>(channel, timer, std::move(events));
}

}  // namespace conadv
