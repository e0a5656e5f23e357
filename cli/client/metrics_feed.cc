// SPDX-License-Identifier: Apache-2.0
#include "cli/client/metrics_feed.h"

#include <cstdint>
#include <utility>

#include "common/base/clock.h"
#include "common/wire/deadline.h"

namespace conadv {
namespace {

// More than a fast run makes between two looks; beyond it the stream's flow control holds the rest.
constexpr size_t kMostRecords = 4096;
constexpr absl::Duration kRetryAfter = absl::Milliseconds(200);
constexpr absl::Duration kStatusDeadline = absl::Seconds(5);

}  // namespace

MetricsFeed::MetricsFeed(const std::shared_ptr<grpc::Channel>& channel, std::function<void()> wake)
    : stub_(v1::Inspector::NewStub(channel)), wake_(std::move(wake)), thread_([this] { Run(); }) {}

MetricsFeed::~MetricsFeed() {
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    if (context_ != nullptr) context_->TryCancel();
    changed_.NotifyAll();
  }
  thread_.join();
}

std::vector<MetricsFeed::Item> MetricsFeed::Take() {
  MutexLock lock(&mutex_);
  changed_.NotifyAll();
  return std::exchange(items_, {});
}

bool MetricsFeed::following() const {
  MutexLock lock(&mutex_);
  return context_ != nullptr;
}

uint64_t MetricsFeed::missed() const {
  MutexLock lock(&mutex_);
  return missed_;
}

uint64_t MetricsFeed::final_version() const {
  MutexLock lock(&mutex_);
  return final_version_;
}

void MetricsFeed::Run() {
  while (!Follow()) {
    const Clock& clock = Clock::Real();
    const absl::Time until = clock.Now() + kRetryAfter;
    MutexLock lock(&mutex_);
    while (!stopping_ && clock.Now() < until) changed_.WaitFor(&mutex_, until - clock.Now());
    if (stopping_) return;
  }
}

bool MetricsFeed::Follow() {
  if (!LearnLineage()) return false;
  grpc::ClientContext context;
  {
    MutexLock lock(&mutex_);
    if (stopping_) return true;
    context_ = &context;
  }
  v1::WatchMetricsRequest request;
  request.set_after(next_);
  request.set_lineage(lineage_);
  const auto reader = stub_->WatchMetrics(&context, request);
  v1::MetricsRecord record;
  bool wanted = true;
  while (wanted && reader->Read(&record)) {
    Expect(record.index());
    wanted = Add({std::nullopt, std::move(record)});
    wake_();
  }
  if (!wanted) context.TryCancel();
  const bool ended = reader->Finish().ok();
  MutexLock lock(&mutex_);
  context_ = nullptr;
  return ended || stopping_;
}

void MetricsFeed::Expect(uint64_t index) {
  MutexLock lock(&mutex_);
  if (index > next_) missed_ += index - next_;
  next_ = index + 1;
}

bool MetricsFeed::LearnLineage() {
  grpc::ClientContext context;
  context.set_deadline(DeadlineIn(kStatusDeadline));
  v1::StatusResponse response;
  if (!stub_->Status(&context, v1::StatusRequest(), &response).ok()) return false;
  // Without a last version there is no plan yet, so no record either.
  if (response.lineage() == 0 || response.final_version() == 0) return false;
  {
    MutexLock lock(&mutex_);
    final_version_ = response.final_version();
  }
  if (response.lineage() == lineage_) return true;
  lineage_ = response.lineage();
  next_ = 0;
  return Add({response.restored_version(), {}});
}

bool MetricsFeed::Add(Item item) {
  MutexLock lock(&mutex_);
  while (items_.size() >= kMostRecords && !stopping_) {
    changed_.WaitFor(&mutex_, absl::Seconds(1));
  }
  items_.push_back(std::move(item));
  return !stopping_;
}

}  // namespace conadv
