// SPDX-License-Identifier: Apache-2.0
#include "cli/client/run_end.h"

#include <cstdint>
#include <limits>

#include "common/base/clock.h"

namespace conadv {

RunEnd::RunEnd(const std::shared_ptr<grpc::Channel>& channel)
    : stub_(v1::Inspector::NewStub(channel)), thread_([this] { Listen(); }) {}

RunEnd::~RunEnd() {
  context_.TryCancel();
  thread_.join();
}

bool RunEnd::ended() const {
  MutexLock lock(&mutex_);
  return ended_;
}

bool RunEnd::IsOver(absl::Duration patience) {
  const absl::Time until = Clock::Real().Now() + patience;
  MutexLock lock(&mutex_);
  while (!ended_) {
    const absl::Duration left = until - Clock::Real().Now();
    if (left <= absl::ZeroDuration()) return false;
    changed_.WaitFor(&mutex_, left);
  }
  return over_;
}

void RunEnd::Listen() {
  v1::WatchMetricsRequest request;
  // No record but those to come: the end is what matters.
  request.set_after(std::numeric_limits<uint64_t>::max());
  const auto reader = stub_->WatchMetrics(&context_, request);
  v1::MetricsRecord record;
  while (reader->Read(&record)) {
  }
  const bool over = reader->Finish().ok();
  MutexLock lock(&mutex_);
  ended_ = true;
  over_ = over;
  changed_.NotifyAll();
}

}  // namespace conadv
