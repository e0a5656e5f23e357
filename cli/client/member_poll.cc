// SPDX-License-Identifier: Apache-2.0
#include "cli/client/member_poll.h"

#include <grpcpp/client_context.h>

#include <utility>

#include "common/base/clock.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

constexpr absl::Duration kInterval = absl::Seconds(1);
constexpr absl::Duration kDeadline = absl::Seconds(2);

}  // namespace

MemberPoll::MemberPoll(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::Inspector::NewStub(channel)), thread_([this] { Loop(); }) {}

MemberPoll::~MemberPoll() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

std::optional<MemberPoll::Answer> MemberPoll::Take() {
  MutexLock lock(&mutex_);
  return std::exchange(answer_, std::nullopt);
}

std::string MemberPoll::Warning() {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kDeadline));
  v1::StatusResponse response;
  stub_->Status(&context, v1::StatusRequest(), &response);
  return response.warning();
}

void MemberPoll::Loop() {
  while (true) {
    grpc::ClientContext context;
    context.set_deadline(DeadlineIn(kDeadline));
    v1::WorkersResponse response;
    const bool answered = stub_->Workers(&context, v1::WorkersRequest(), &response).ok();
    Answer answer;
    for (const auto& member : response.members()) answer.members.insert(member.name());
    answer.warning = answered ? Warning() : "";
    const Clock& clock = Clock::Real();
    const absl::Time until = clock.Now() + kInterval;
    MutexLock lock(&mutex_);
    if (answered) answer_ = std::move(answer);
    while (!stopping_ && clock.Now() < until) changed_.WaitFor(&mutex_, until - clock.Now());
    if (stopping_) return;
  }
}

}  // namespace conadv
