// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/weight_cache.h"

namespace conadv {

WeightCache::WeightCache(WeightSource* source, size_t capacity, WorkerStatistics* statistics)
    : source_(source), capacity_(capacity), statistics_(statistics) {}

void WeightCache::Get(Version version, WeightUse use, Done done) {
  const PullSelector selector = PullSelector::Exactly(version);
  const Key key(selector.kind, selector.value);
  std::shared_ptr<const Arena> weights;
  bool pulls = false;
  uint64_t generation = 0;
  {
    MutexLock lock(&mutex_);
    if (const auto it = versions_.find(version); it != versions_.end()) {
      weights = it->second;
    } else {
      std::vector<Done>& waiting = waiting_[key];
      pulls = waiting.empty();
      waiting.push_back(std::move(done));
      generation = generation_;
    }
  }
  if (use == WeightUse::kAttack) statistics_->AttackWeights(!pulls);
  if (weights != nullptr) {
    statistics_->Cached(weights->bytes());
    done(VersionedWeights{version, std::move(weights)});
  } else if (pulls) {
    source_->Pull(selector, [this, generation, key](absl::StatusOr<VersionedWeights> pulled) {
      Land(generation, key, pulled);
    });
  }
}

void WeightCache::GetNow(const PullSelector& selector, Done done) {
  const Key key(selector.kind, selector.value);
  uint64_t generation;
  {
    MutexLock lock(&mutex_);
    std::vector<Done>& waiting = waiting_[key];
    waiting.push_back(std::move(done));
    if (waiting.size() > 1) return;
    generation = generation_;
  }
  source_->Pull(selector, [this, generation, key](absl::StatusOr<VersionedWeights> pulled) {
    Land(generation, key, pulled);
  });
}

void WeightCache::Land(uint64_t generation, const Key& key,
                       const absl::StatusOr<VersionedWeights>& weights) {
  std::vector<Done> waiting;
  std::shared_ptr<const Arena> evicted;  // freed outside the lock
  {
    MutexLock lock(&mutex_);
    if (generation != generation_) return;
    waiting.swap(waiting_[key]);
    waiting_.erase(key);
    if (weights.ok()) {
      versions_[weights->version] = weights->weights;
      if (versions_.size() > capacity_) {
        evicted = std::move(versions_.begin()->second);
        versions_.erase(versions_.begin());
      }
    }
  }
  if (weights.ok() && waiting.size() > 1) {
    statistics_->Cached((waiting.size() - 1) * weights->weights->bytes());
  }
  for (const Done& done : waiting) done(weights);
}

void WeightCache::Clear() {
  std::map<Version, std::shared_ptr<const Arena>> versions;
  std::map<Key, std::vector<Done>> waiting;
  {
    MutexLock lock(&mutex_);
    ++generation_;
    versions.swap(versions_);
    waiting.swap(waiting_);
  }
  const absl::Status cancelled = absl::CancelledError("the session has ended");
  for (const auto& [key, all] : waiting) {
    for (const Done& done : all) done(cancelled);
  }
}

}  // namespace conadv
