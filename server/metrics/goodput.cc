// SPDX-License-Identifier: Apache-2.0
#include "server/metrics/goodput.h"

namespace conadv {

void Goodput::See(const Sight& sight) {
  if (lineages_ == 0 || sight.lineage != lineage_) Begin(sight);
  Kept& kept = kept_.back();
  if (sight.newest <= kept.newest) return;
  made_ += sight.newest.value() - kept.newest.value();
  kept.newest = sight.newest;
  kept.time = std::max(kept.time, sight.last - sight.began);
  last_ = std::max(last_, sight.last);
}

void Goodput::Begin(const Sight& sight) {
  ++lineages_;
  lineage_ = sight.lineage;
  if (began_.has_value()) {
    TakeBack(sight.first);
    // From the last update to the moment when there were weights to go on from.
    lost_time_ += std::max(absl::ZeroDuration(), sight.began - last_);
    last_ = std::max(last_, sight.began);
  } else {
    began_ = last_ = sight.began;
  }
  kept_.push_back({sight.first, sight.first, absl::ZeroDuration()});
  if (kept_.size() <= kMostKept) return;
  kept_[1].first = kept_[0].first;
  kept_[1].time += kept_[0].time;
  kept_.erase(kept_.begin());
}

void Goodput::TakeBack(Version version) {
  while (!kept_.empty()) {
    Kept& kept = kept_.back();
    if (kept.newest <= version && kept.newest > kept.first) return;
    const uint64_t updates = kept.newest.value() - kept.first.value();
    const Version to = std::max(std::min(version, kept.newest), kept.first);
    const uint64_t lost = kept.newest.value() - to.value();
    if (lost > 0) {
      const absl::Duration time =
          kept.time * (static_cast<double>(lost) / static_cast<double>(updates));
      lost_ += lost;
      lost_time_ += time;
      kept.newest = to;
      kept.time -= time;
    }
    if (kept.newest > kept.first) return;
    kept_.pop_back();
  }
}

Goodput::Sums Goodput::sums() const {
  Sums sums;
  sums.lineages = lineages_;
  sums.made_updates = made_;
  sums.lost_updates = lost_;
  if (began_.has_value()) sums.trained = last_ - *began_;
  sums.lost = lost_time_;
  return sums;
}

}  // namespace conadv
