// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/checkpoint_schedule.h"

#include <algorithm>
#include <utility>

namespace conadv {
namespace {

// Without a number of versions, writing takes at most one part in so many of the time.
constexpr int kShareOfTime = 20;
constexpr uint64_t kMostAhead = 1024;

// The least multiple of `of` that is ≥ `value` and < `end`, if there is one. REQUIRES: of ≥ 1.
std::optional<uint64_t> NextMultiple(uint64_t value, uint64_t of, uint64_t end) {
  const uint64_t rest = value % of;
  if (value >= end) return std::nullopt;
  if (rest == 0) return value;
  return of - rest < end - value ? std::optional<uint64_t>(value + (of - rest)) : std::nullopt;
}

}  // namespace

void CheckpointSchedule::Begin(Version first, const std::vector<Version>& written, Version last,
                               absl::Time now) {
  begun_ = true;
  last_ = last;
  for (const Version version : written) {
    if (version <= first) AddCommon(version);
  }
  const bool restored = !common_.empty() && common_.back() == first;
  if (!restored) Ask(first, now);
  asked_at_ = now;
  if (restored && first == last) {
    for (uint32_t shard = 0; shard < options_.shards; ++shard) last_answered_.insert(shard);
  }
  for (const auto& [shard, answer] : std::exchange(early_, {})) OnAnswer(shard, answer);
}

void CheckpointSchedule::AddCommon(Version version) {
  common_.push_back(version);
  if (common_.size() > options_.keep) common_.erase(common_.begin());
}

void CheckpointSchedule::Ask(Version version, absl::Time now) {
  asked_ = version;
  asked_at_ = now;
  took_ = absl::ZeroDuration();
  all_written_ = true;
  missed_ = false;
  unanswered_.clear();
  for (uint32_t shard = 0; shard < options_.shards; ++shard) unanswered_.insert(shard);
}

std::optional<Version> CheckpointSchedule::Next(Version latest, absl::Time now) {
  if (!begun_ || save_.has_value() || !unanswered_.empty() || latest >= last_) return std::nullopt;
  // No more than is left: versions may be as many as a number holds.
  const uint64_t ahead = std::min(ahead_, last_.Since(latest));
  std::optional<uint64_t> target = latest.value() + ahead;
  if (options_.every > 0) {
    // The first is asked for before any worker can have begun.
    target = NextMultiple(latest.value() == 0 ? 1 : *target, options_.every, last_.value());
  } else if (now < asked_at_ + std::max(options_.interval, kShareOfTime * took_)) {
    return std::nullopt;
  }
  if (!target.has_value() || *target >= last_.value()) return std::nullopt;
  Ask(Version(*target), now);
  return asked_;
}

std::optional<Version> CheckpointSchedule::Save(Version latest, bool moves, absl::Time now) {
  if (!begun_ || saved()) return std::nullopt;
  const bool under_way = save_.has_value() && !missed_ && (moves || *save_ <= latest);
  if (under_way) return std::nullopt;
  const Version target = moves ? latest + std::min(ahead_, last_.Since(latest)) : latest;
  const bool is_there = !common_.empty() && common_.back() == latest && !moves;
  // One is being written, or will be before ours could; and for the last every shard answers
  // unasked.
  const bool comes = !unanswered_.empty() && !missed_ && *asked_ <= target;
  save_ = comes ? *asked_ : target;
  if (is_there || comes || target == last_) return std::nullopt;
  Ask(target, now);
  return target;
}

bool CheckpointSchedule::saved() const {
  if (!save_.has_value()) return false;
  if (!common_.empty() && common_.back() == *save_) return true;
  return save_ == last_ ? last_answered() : asked_ == save_ && unanswered_.empty() && !missed_;
}

std::vector<uint32_t> CheckpointSchedule::last_unanswered() const {
  std::vector<uint32_t> shards;
  for (uint32_t shard = 0; shard < options_.shards; ++shard) {
    if (last_answered_.count(shard) == 0) shards.push_back(shard);
  }
  return shards;
}

void CheckpointSchedule::OnAnswer(uint32_t shard, const CheckpointAnswer& answer) {
  if (!begun_) {
    early_[shard] = answer;
    return;
  }
  if (answer.version == last_) last_answered_.insert(shard);
  if (asked_ != answer.version || unanswered_.erase(shard) == 0) return;
  took_ = std::max(took_, answer.took);
  if (answer.missed) {
    missed_ = true;
    ahead_ = std::min(2 * ahead_, kMostAhead);
  }
  if (answer.missed || !answer.error.empty()) all_written_ = false;
  if (unanswered_.empty() && all_written_) AddCommon(*asked_);
}

}  // namespace conadv
