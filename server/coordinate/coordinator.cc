// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/coordinator.h"

#include <utility>
#include <variant>

#include "common/base/status_macros.h"

namespace conadv {

Coordinator::Coordinator(CoordinatorOptions options, const Clock* clock)
    : clock_(clock), machine_(std::move(options), clock->Now()) {}

Coordinator::Output Coordinator::StepLocked(Event event, MemberSink* joining) {
  // Read under the lock, so that the machine's time never goes back.
  Output output = machine_.Step(std::move(event), clock_->Now());
  if (output.joined.has_value()) sinks_[*output.joined] = joining;
  for (const Action& action : output.actions) Do(action);
  if (machine_.over()) over_.NotifyAll();
  return output;
}

absl::Status Coordinator::Step(Event event) {
  MutexLock lock(&mutex_);
  return StepLocked(std::move(event), nullptr).status;
}

void Coordinator::Do(const Action& action) {
  if (const auto* const send = std::get_if<SendAction>(&action)) {
    const auto sink = sinks_.find(send->to);
    if (sink != sinks_.end()) sink->second->Send(send->message);
    return;
  }
  if (const auto* const saved = std::get_if<SavedAction>(&action)) {
    const auto found = saves_.find(saved->ticket);
    if (found == saves_.end()) return;
    found->second(saved->version);
    saves_.erase(found);
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
  const Output output = StepLocked(JoinEvent{std::move(hello)}, sink);
  CONADV_RETURN_IF_ERROR(output.status);
  return *output.joined;
}

void Coordinator::Checkpoint(Saved saved) {
  MutexLock lock(&mutex_);
  const uint64_t ticket = next_ticket_++;
  saves_[ticket] = std::move(saved);
  const Output output = StepLocked(CheckpointEvent{ticket}, nullptr);
  if (output.status.ok()) return;
  Do(SavedAction{ticket, output.status});
}

absl::StatusOr<DrainedWorker> Coordinator::Drain(const std::string& worker) {
  MutexLock lock(&mutex_);
  const Output output = StepLocked(DrainEvent{worker}, nullptr);
  CONADV_RETURN_IF_ERROR(output.status);
  return *output.drained;
}

absl::StatusOr<PreparedTau> Coordinator::PrepareTau(uint32_t tau,
                                                    std::optional<conadv::Step> from) {
  MutexLock lock(&mutex_);
  const Output output = StepLocked(SetTauEvent{tau, from}, nullptr);
  CONADV_RETURN_IF_ERROR(output.status);
  return *output.prepared;
}

void Coordinator::OnGone(MemberId id) {
  MutexLock lock(&mutex_);
  sinks_.erase(id);
  StepLocked(GoneEvent{id}, nullptr);
}

bool Coordinator::Save() {
  MutexLock lock(&mutex_);
  StepLocked(SaveEvent{}, nullptr);
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
