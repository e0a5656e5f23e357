// SPDX-License-Identifier: Apache-2.0
#include "server/aggregate/aggregator.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/base/status_macros.h"
#include "server/aggregate/add.h"

namespace conadv {
namespace {

// What a contribution says of its attack; `attacked`: its stream's.
absl::Status CheckAttack(const Contribution& contribution, bool attacked) {
  const uint64_t update = contribution.update_version.value();
  const uint64_t attack = contribution.attack_version.value();
  if (attacked && attack > update) {
    return absl::InvalidArgumentError(absl::StrCat("contribution.attack_version: ", attack,
                                                   " is newer than update_version ", update));
  }
  const uint64_t staleness = attacked ? update - attack : 0;
  if (const std::optional<float> cosine = contribution.attack_cosine; cosine.has_value()) {
    if (staleness == 0) {
      return absl::InvalidArgumentError(
          "contribution.attack_cosine: leave it out where the attack is not stale");
    }
    if (!(*cosine >= -1 && *cosine <= 1)) {
      return absl::InvalidArgumentError(
          absl::StrCat("contribution.attack_cosine: must be -1 to 1, got ", *cosine));
    }
  }
  if (const auto origins = contribution.attack_origins; origins.has_value()) {
    const uint64_t said = uint64_t{origins->lease} + origins->compute;
    if (said > staleness) {
      return absl::InvalidArgumentError(absl::StrCat("contribution.attack_origins: the attack is ",
                                                     staleness,
                                                     " versions stale, got the origins of ", said));
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckContribution(const Contribution& contribution, const AggregatorOptions& options,
                               Version latest) {
  const uint64_t step = contribution.unit.step.value();
  const uint64_t update = contribution.update_version.value();
  if (step >= options.steps) {
    return absl::InvalidArgumentError(
        absl::StrCat("contribution.step: the run has ", options.steps, " steps, got step ", step));
  }
  if (contribution.unit.slot.value() >= options.slots) {
    return absl::InvalidArgumentError(absl::StrCat("contribution.slot: a step has ", options.slots,
                                                   " slots, got slot ",
                                                   contribution.unit.slot.value()));
  }
  const uint64_t stream = contribution.stream.value();
  if (stream >= options.streams.size()) {
    return absl::InvalidArgumentError(
        absl::StrCat("contribution.stream: the run has ", options.streams.size(),
                     options.streams.size() == 1 ? " stream" : " streams", ", got number ", stream,
                     "; they count from 0"));
  }
  CONADV_RETURN_IF_ERROR(CheckAttack(contribution, options.streams[stream].attacked()));
  if (options.sync && update != step) {
    return absl::InvalidArgumentError(
        absl::StrCat("contribution.update_version: SYNC computes step ", step, " with version ",
                     step, ", got ", update));
  }
  if (contribution.update_version > latest) {
    return absl::FailedPreconditionError(
        absl::StrCat("contribution of ", contribution.unit.ToString(), " with version ", update,
                     ": the latest is ", latest.value(), "; pull version ", update, " first"));
  }
  return absl::OkStatus();
}

absl::Status CheckMeasures(const Contribution& contribution) {
  if (std::isfinite(contribution.loss) && std::isfinite(contribution.accuracy)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat("contribution of ", contribution.unit.ToString(),
                                                 ": its loss is ", contribution.loss,
                                                 " and its accuracy ", contribution.accuracy));
}

Aggregator::Aggregator(const AggregatorOptions& options, UnitLedger closed)
    : options_(options), closed_(std::move(closed)) {}

Unit Aggregator::KeyOf(const Unit& unit) const {
  return options_.sync ? Unit{unit.step, Slot(0)} : unit;
}

uint32_t Aggregator::LeafOf(const Unit& unit) const {
  return options_.sync ? static_cast<uint32_t>(unit.slot.value()) : 0;
}

bool Aggregator::IsClosed(const Unit& unit) const { return closed_.Contains(KeyOf(unit)); }

bool Aggregator::IsDuplicate(const Unit& unit, StreamIndex stream) const {
  MutexLock lock(&mutex_);
  if (IsClosed(unit)) return true;
  const auto found = groups_.find(KeyOf(unit));
  if (found == groups_.end()) return false;
  return found->second.trees[stream.value()].claimed(LeafOf(unit));
}

uint32_t Aggregator::Ahead(const Unit& unit, StreamIndex stream) const {
  MutexLock lock(&mutex_);
  // What is here already is next no more: soon it will be told that it is a duplicate.
  constexpr uint32_t kPassed = 1;
  if (IsClosed(unit)) return kPassed;
  const uint32_t leaf = LeafOf(unit);
  const auto found = groups_.find(KeyOf(unit));
  if (found == groups_.end()) return leaf;
  const uint32_t first = found->second.trees[stream.value()].first_unclaimed();
  return leaf >= first ? leaf - first : kPassed;
}

PushOutcome Aggregator::Claim(const Contribution& contribution) {
  MutexLock lock(&mutex_);
  if (IsClosed(contribution.unit)) return PushOutcome::kDuplicate;
  const uint32_t leaves = options_.sync ? options_.slots : 1;
  Group& group =
      groups_.try_emplace(KeyOf(contribution.unit), options_.streams.size(), leaves).first->second;
  if (!group.trees[contribution.stream.value()].Claim(LeafOf(contribution.unit))) {
    return PushOutcome::kDuplicate;
  }
  group.contributions.push_back(contribution);
  return PushOutcome::kAccepted;
}

std::optional<ClosedGroup> Aggregator::Reduce(const Contribution& contribution,
                                              std::shared_ptr<Arena> value) {
  const Unit key = KeyOf(contribution.unit);
  const uint64_t stream = contribution.stream.value();
  SlotTree::Node node{0, LeafOf(contribution.unit)};
  while (true) {
    SlotTree::Next next;
    {
      MutexLock lock(&mutex_);
      // The group stays until this contribution's sum is in it, so it is there.
      Group& group = groups_.at(key);
      next = group.trees[stream].Place(node, std::move(value));
      if (next.kind == SlotTree::Next::kParked) return std::nullopt;
      if (next.kind == SlotTree::Next::kRoot) {
        group.sums[stream] = std::move(next.left);
        return TryClose(key);
      }
    }
    AddInPlace(next.left->span(), next.right->span());
    value = std::move(next.left);
    node = next.parent;
  }
}

std::optional<ClosedGroup> Aggregator::TryClose(const Unit& key) {
  const auto found = groups_.find(key);
  Group& group = found->second;
  const bool complete = std::all_of(group.sums.begin(), group.sums.end(),
                                    [](const auto& sum) { return sum != nullptr; });
  if (!complete) return std::nullopt;
  ClosedGroup closed{key, std::move(group.sums), std::move(group.contributions)};
  groups_.erase(found);
  closed_.Add(key);
  std::sort(closed.contributions.begin(), closed.contributions.end(),
            [](const Contribution& a, const Contribution& b) {
              return a.unit != b.unit ? a.unit < b.unit : a.stream < b.stream;
            });
  return closed;
}

uint64_t Aggregator::open_groups() const {
  MutexLock lock(&mutex_);
  return groups_.size();
}

}  // namespace conadv
