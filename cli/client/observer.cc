// SPDX-License-Identifier: Apache-2.0
#include "cli/client/observer.h"

#include <unistd.h>

#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"

namespace conadv {

Observer::Observer(const std::shared_ptr<grpc::Channel>& channel, Timer* timer,
                   std::function<void()> wake)
    : wake_(std::move(wake)), stream_(MakeMemberStream(channel, timer, MakeEvents())) {
  v1::Hello hello;
  hello.set_role(v1::OBSERVER);
  hello.set_name(absl::StrCat("conadv-", getpid()));
  hello.set_incarnation(RandomIncarnation().value());
  stream_->Start(std::move(hello));
}

Observer::~Observer() {
  stream_->Cancel();
  MutexLock lock(&mutex_);
  while (!state_.closed) closed_.Wait(&mutex_);
}

MemberStream::Events Observer::MakeEvents() {
  MemberStream::Events events;
  events.response = [this](const v1::JoinResponse& response) {
    {
      MutexLock lock(&mutex_);
      state_.joined = state_.joined || response.has_welcome();
      state_.finished = state_.finished || response.has_finished();
    }
    wake_();
  };
  events.closed = [this](const absl::Status& status) {
    // With the lock held: once the destructor has seen `closed`, nothing of ours may be used.
    MutexLock lock(&mutex_);
    state_.closed = true;
    state_.status = status;
    wake_();
    closed_.NotifyAll();
  };
  return events;
}

Observer::State Observer::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

}  // namespace conadv
