// SPDX-License-Identifier: Apache-2.0
#include "server/record/shard_events.h"

#include <glog/logging.h>

#include <algorithm>

#include "server/record/worker_stats_book.h"
#include "server/shard/memory.h"

namespace conadv {
namespace {

// Throughput is a mean over this many updates: enough to be steady, few enough to follow a change.
constexpr size_t kThroughputUpdates = 64;
constexpr uint64_t kVersionRecordBytes = sizeof(VersionLog::Entry::record);
constexpr uint64_t kMetricsRecordBytes = sizeof(MetricsLog::Entry::record);

}  // namespace

void ShardEvents::OnPublished(const Publication& publication) {
  publication.update == nullptr ? Begin(publication) : Record(*publication.update);
  // First: whoever has pulled the version may speak of it.
  if (coordinator_ != nullptr) coordinator_->OnPublished(publication.weights.version);
  checkpointer_->OnPublished(publication);
}

void ShardEvents::OnDecided(Version version, const Unit& unit) {
  decided_.Append({version, unit, absl::UnixEpoch()});
}

uint64_t ShardEvents::record_bytes() const {
  return versions_.size() * kVersionRecordBytes + metrics_.size() * kMetricsRecordBytes;
}

uint64_t ShardEvents::record_limit_bytes() {
  return kRecords * (kVersionRecordBytes + kMetricsRecordBytes) + StalenessBook::kMostBytes +
         WorkerStatsBook::kMostBytes;
}

void ShardEvents::Begin(const Publication& publication) {
  const Snapshot& weights = publication.weights;
  const MemoryLimit limit = MemoryLimitOf(job_, publication.run, weights.weights->bytes(),
                                          publication.optimizer.state_bytes());
  LOG(INFO) << "memory: at most " << ((limit.total() + record_limit_bytes()) >> 20)
            << " MiB: " << limit.ToText() << ", records " << (record_limit_bytes() >> 20);
  {
    MutexLock lock(&mutex_);
    first_ = weights.version;
    began_ = clock_->Now();
    published_.push_back(began_);
  }
  for (VersionLog* log : {&versions_, &decided_}) {
    log->BeginAt(weights.version.value());
    log->Append({weights.version, std::nullopt, weights.published});
  }
}

void ShardEvents::Record(const AppliedUpdate& update) {
  StepMetrics metrics;
  {
    MutexLock lock(&mutex_);
    const absl::Time now = clock_->Now();
    metrics = MetricsOf(update, now - began_);
    last_ = metrics;
    divergence_.Add(metrics.streams[0].loss);
    update_micros_.Add(std::max<int64_t>(0, absl::ToInt64Microseconds(now - published_.back())));
    published_.push_back(now);
    if (published_.size() > kThroughputUpdates) published_.pop_front();
  }
  versions_.Append({update.version, update.unit, update.published});
  metrics_.Append(std::move(metrics));
}

Histogram ShardEvents::update_micros() const {
  MutexLock lock(&mutex_);
  return update_micros_;
}

ShardEvents::Progress ShardEvents::progress() const {
  MutexLock lock(&mutex_);
  Progress progress;
  progress.first = first_;
  progress.began = began_;
  progress.newest = published_.empty() ? began_ : published_.back();
  progress.last = last_;
  progress.warning = divergence_.warning();
  if (published_.size() < 2) return progress;
  const double seconds = absl::ToDoubleSeconds(published_.back() - published_.front());
  const double examples = static_cast<double>(published_.size() - 1) * job_.training.slot_size() *
                          job_.training.slots_per_update();
  if (seconds > 0) progress.examples_per_second = examples / seconds;
  return progress;
}

}  // namespace conadv
