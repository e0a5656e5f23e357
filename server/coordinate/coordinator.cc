// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/coordinator.h"

#include <utility>
#include <variant>

#include "common/base/status_macros.h"

namespace conadv {

Coordinator::Coordinator(CoordinatorOptions options, const Clock* clock)
    : clock_(clock), machine_(std::move(options), clock->Now()) {}

absl::Status Coordinator::StepLocked(Event event, MemberSink* joining,
                                     std::optional<MemberId>* joined) {
  // Read under the lock, so that the machine's time never goes back.
  CoordinatorMachine::Output output = machine_.Step(std::move(event), clock_->Now());
  if (output.joined.has_value()) sinks_[*output.joined] = joining;
  for (const Action& action : output.actions) Do(action);
  if (machine_.over()) over_.NotifyAll();
  *joined = output.joined;
  return std::move(output.status);
}

absl::Status Coordinator::Step(Event event) {
  MutexLock lock(&mutex_);
  std::optional<MemberId> nobody;
  return StepLocked(std::move(event), nullptr, &nobody);
}

void Coordinator::Do(const Action& action) {
  if (const auto* const send = std::get_if<SendAction>(&action)) {
    const auto sink = sinks_.find(send->to);
    if (sink != sinks_.end()) sink->second->Send(send->message);
    return;
  }
  const CloseAction& close = std::get<CloseAction>(action);
  const auto sink = sinks_.find(close.member);
  if (sink == sinks_.end()) return;
  sink->second->Close(close.status);
  sinks_.erase(sink);
}

absl::StatusOr<MemberId> Coordinator::Join(HelloMessage hello, MemberSink* sink) {
  MutexLock lock(&mutex_);
  std::optional<MemberId> joined;
  CONADV_RETURN_IF_ERROR(StepLocked(JoinEvent{std::move(hello)}, sink, &joined));
  return *joined;
}

void Coordinator::OnGone(MemberId id) {
  MutexLock lock(&mutex_);
  sinks_.erase(id);
  std::optional<MemberId> nobody;
  StepLocked(GoneEvent{id}, nullptr, &nobody).IgnoreError();
}

bool Coordinator::Save() {
  MutexLock lock(&mutex_);
  std::optional<MemberId> nobody;
  StepLocked(SaveEvent{}, nullptr, &nobody).IgnoreError();
  return machine_.saved();
}

absl::StatusOr<std::vector<std::string>> Coordinator::Servers() const {
  MutexLock lock(&mutex_);
  return machine_.Servers();
}

CoordinatorView Coordinator::Read() const {
  MutexLock lock(&mutex_);
  return machine_.View(clock_->Now());
}

Phase Coordinator::phase() const {
  MutexLock lock(&mutex_);
  return machine_.phase();
}

absl::Status Coordinator::health() const {
  MutexLock lock(&mutex_);
  return machine_.failure();
}

absl::Status Coordinator::WaitUntilOver(absl::Duration timeout) {
  MutexLock lock(&mutex_);
  const absl::Time deadline = clock_->Now() + timeout;
  while (!machine_.over()) {
    const absl::Duration left = deadline - clock_->Now();
    if (left <= absl::ZeroDuration()) return absl::DeadlineExceededError("the run goes on");
    over_.WaitFor(&mutex_, left);
  }
  return machine_.failure();
}

}  // namespace conadv
