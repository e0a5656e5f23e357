// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/checkpoint_schedule.h"

#include <algorithm>
#include <utility>

namespace conadv {
namespace {

// Without a number of versions, writing takes at most one part in so many of the time.
constexpr int kShareOfTime = 20;
constexpr uint64_t kMostAhead = 1024;

uint64_t NextMultiple(uint64_t value, uint64_t of) { return (value + of - 1) / of * of; }

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
  for (uint32_t shard = 0; shard < options_.shards; ++shard) unanswered_.insert(shard);
}

std::optional<Version> CheckpointSchedule::Next(Version latest, absl::Time now) {
  if (!begun_ || !unanswered_.empty()) return std::nullopt;
  Version target = latest + ahead_;
  if (options_.every > 0) {
    // The first is asked for before any worker can have begun.
    const uint64_t from = latest.value() == 0 ? 1 : target.value();
    target = Version(NextMultiple(from, options_.every));
  } else if (now < asked_at_ + std::max(options_.interval, kShareOfTime * took_)) {
    return std::nullopt;
  }
  if (target >= last_) return std::nullopt;
  Ask(target, now);
  return target;
}

void CheckpointSchedule::OnAnswer(uint32_t shard, const CheckpointAnswer& answer) {
  if (!begun_) {
    early_[shard] = answer;
    return;
  }
  if (answer.version == last_) last_answered_.insert(shard);
  if (asked_ != answer.version || unanswered_.erase(shard) == 0) return;
  took_ = std::max(took_, answer.took);
  if (answer.missed) ahead_ = std::min(2 * ahead_, kMostAhead);
  if (answer.missed || !answer.error.empty()) all_written_ = false;
  if (unanswered_.empty() && all_written_) AddCommon(*asked_);
}

std::vector<Version> CommonVersions(const std::vector<std::vector<Version>>& lists) {
  std::vector<Version> common;
  if (lists.empty()) return common;
  for (const Version version : lists.front()) {
    const bool everywhere = std::all_of(lists.begin(), lists.end(), [version](const auto& list) {
      return std::find(list.begin(), list.end(), version) != list.end();
    });
    if (everywhere) common.push_back(version);
  }
  std::sort(common.begin(), common.end());
  return common;
}

}  // namespace conadv
