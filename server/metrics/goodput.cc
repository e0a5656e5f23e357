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
    const absl::Duration gap = std::max(absl::ZeroDuration(), sight.began - last_);
    const absl::Duration before_start = started_.has_value()
                                            ? std::max(absl::ZeroDuration(), *started_ - last_)
                                            : absl::InfiniteDuration();
    lost_time_ += gap - AddUnseen(sight.first, std::min(gap, before_start));
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

absl::Duration Goodput::AddUnseen(Version version, absl::Duration most) {
  if (kept_.empty() || version <= kept_.back().newest) return absl::ZeroDuration();
  Kept& kept = kept_.back();
  const uint64_t seen = kept.newest.Since(kept.first);
  const uint64_t unseen = version.Since(kept.newest);
  // At the pace of those before.
  const absl::Duration time =
      seen == 0
          ? absl::ZeroDuration()
          : std::min(most, kept.time * (static_cast<double>(unseen) / static_cast<double>(seen)));
  made_ += unseen;
  kept.newest = version;
  kept.time += time;
  return time;
}

std::optional<Goodput::Record> Goodput::ToRecord(absl::Time now, absl::Time wall_now) const {
  if (!began_.has_value()) return std::nullopt;
  Record record{lineage_, kept_, sums(), wall_now - (now - last_)};
  // What can be written down: whoever goes on says no less.
  for (absl::Duration* time : {&record.sums.trained, &record.sums.lost}) {
    *time = absl::Trunc(*time, absl::Nanoseconds(1));
  }
  return record;
}

Goodput Goodput::FromRecord(const Record& record, absl::Time started, absl::Time now,
                            absl::Time wall_now) {
  Goodput goodput;
  goodput.lineage_ = record.lineage;
  goodput.kept_ = record.kept;
  goodput.lineages_ = record.sums.lineages;
  goodput.made_ = record.sums.made_updates;
  goodput.lost_ = record.sums.lost_updates;
  goodput.lost_time_ = record.sums.lost;
  // A calendar that was set back says nothing of how long it was.
  goodput.last_ = now - std::max(absl::ZeroDuration(), wall_now - record.last);
  goodput.began_ = goodput.last_ - record.sums.trained;
  goodput.started_ = started;
  return goodput;
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
