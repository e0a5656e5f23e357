// SPDX-License-Identifier: Apache-2.0
#include "cli/client/observer.h"

#include <grpcpp/client_context.h>
#include <grpcpp/support/client_callback.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/mutex.h"
#include "common/base/random.h"
#include "common/wire/status.h"
#include "conadv/v1/coordinator.grpc.pb.h"

namespace conadv {

class Observer::Stream final : public grpc::ClientBidiReactor<v1::JoinRequest, v1::JoinResponse> {
 public:
  Stream(const std::shared_ptr<grpc::Channel>& channel, std::function<void()> wake)
      : stub_(v1::Coordinator::NewStub(channel)), wake_(std::move(wake)) {
    v1::Hello* hello = request_.mutable_hello();
    hello->set_role(v1::OBSERVER);
    hello->set_name(absl::StrCat("conadv-", getpid()));
    hello->set_incarnation(RandomIncarnation().value());
    writing_ = true;
    stub_->async()->Join(&context_, this);
    AddHold();  // for the writes that Tick and Leave start
    StartWrite(&request_);
    StartRead(&response_);
    StartCall();
  }

  void Close() {
    context_.TryCancel();
    MutexLock lock(&mutex_);
    while (!state_.closed) closed_.Wait(&mutex_);
  }

  State state() const {
    MutexLock lock(&mutex_);
    return state_;
  }

  absl::Time Tick(absl::Time now) {
    MutexLock lock(&mutex_);
    // Before the welcome nothing is due: its wake-up brings the caller back.
    if (!state_.joined || ended_ || leaving_) return absl::InfiniteFuture();
    if (now >= next_beat_ && !writing_) {
      next_beat_ = now + interval_;
      request_.mutable_heartbeat();
      writing_ = true;
      StartWrite(&request_);
    }
    return std::max(next_beat_, now + absl::Milliseconds(10));
  }

  void Leave() {
    MutexLock lock(&mutex_);
    if (ended_ || leaving_) return;
    leaving_ = true;
    if (!writing_) WriteLeave();
  }

  void OnWriteDone(bool ok) override {
    MutexLock lock(&mutex_);
    writing_ = false;
    if (ok && leaving_ && !left_ && !ended_) WriteLeave();
  }

  void OnReadDone(bool ok) override {
    {
      MutexLock lock(&mutex_);
      if (!ok) {
        ended_ = true;
      } else if (response_.has_welcome()) {
        state_.joined = true;
        interval_ = absl::Seconds(std::clamp(response_.welcome().lease_seconds(), 0.1, 3600.0)) / 3;
        next_beat_ = absl::InfinitePast();
      } else if (response_.has_finished()) {
        state_.finished = true;
      }
    }
    if (!ok) return RemoveHold();
    wake_();
    StartRead(&response_);
  }

  void OnDone(const grpc::Status& status) override {
    // With the lock held: once Close() has seen `closed`, nothing of ours may be used.
    MutexLock lock(&mutex_);
    state_.closed = true;
    state_.status = FromGrpc(status);
    wake_();
    closed_.NotifyAll();
  }

 private:
  void WriteLeave() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    request_.set_leave(true);
    writing_ = true;
    left_ = true;
    StartWriteLast(&request_, grpc::WriteOptions());
  }

  const std::unique_ptr<v1::Coordinator::Stub> stub_;
  const std::function<void()> wake_;
  grpc::ClientContext context_;
  v1::JoinRequest request_;  // belongs to the write under way
  v1::JoinResponse response_;
  mutable Mutex mutex_;
  CondVar closed_;
  State state_ ABSL_GUARDED_BY(mutex_);
  absl::Duration interval_ ABSL_GUARDED_BY(mutex_);
  absl::Time next_beat_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool leaving_ ABSL_GUARDED_BY(mutex_) = false;
  bool left_ ABSL_GUARDED_BY(mutex_) = false;
  bool ended_ ABSL_GUARDED_BY(mutex_) = false;
};

Observer::Observer(const std::shared_ptr<grpc::Channel>& channel, std::function<void()> wake)
    : stream_(std::make_unique<Stream>(channel, std::move(wake))) {}

Observer::~Observer() { stream_->Close(); }

Observer::State Observer::state() const { return stream_->state(); }

absl::Time Observer::Tick(absl::Time now) { return stream_->Tick(now); }

void Observer::Leave() { stream_->Leave(); }

}  // namespace conadv
