// SPDX-License-Identifier: Apache-2.0
#include "server/rpc/shard_events.h"

namespace conadv {
namespace {

// Throughput is a mean over this many updates: enough to be steady, few enough to follow a change.
constexpr size_t kThroughputUpdates = 64;

}  // namespace

void ShardEvents::OnPublished(const Publication& publication) {
  publication.update == nullptr ? Begin(publication.weights) : Record(*publication.update);
  checkpointer_->OnPublished(publication);
  if (coordinator_ != nullptr) coordinator_->OnPublished(publication.weights.version);
}

void ShardEvents::Begin(const Snapshot& weights) {
  {
    MutexLock lock(&mutex_);
    first_ = weights.version;
    began_ = weights.published;
    published_.push_back(weights.published);
  }
  versions_.BeginAt(weights.version.value());
  versions_.Append({weights.version, std::nullopt, weights.published});
}

void ShardEvents::Record(const AppliedUpdate& update) {
  StepMetrics metrics;
  {
    MutexLock lock(&mutex_);
    metrics = MetricsOf(update, began_);
    last_ = metrics;
    published_.push_back(update.published);
    if (published_.size() > kThroughputUpdates) published_.pop_front();
  }
  versions_.Append({update.version, update.unit, update.published});
  metrics_.Append(std::move(metrics));
}

ShardEvents::Progress ShardEvents::progress() const {
  MutexLock lock(&mutex_);
  Progress progress{first_, last_, 0};
  if (published_.size() < 2) return progress;
  const double seconds = absl::ToDoubleSeconds(published_.back() - published_.front());
  const double examples = static_cast<double>(published_.size() - 1) * job_.training.slot_size() *
                          job_.training.slots_per_update();
  if (seconds > 0) progress.examples_per_second = examples / seconds;
  return progress;
}

}  // namespace conadv
