// SPDX-License-Identifier: Apache-2.0
#include "server/shard/staleness_book.h"

#include <algorithm>

namespace conadv {
namespace {

void AddAttack(const Contribution& contribution, StalenessBook::Worker* to) {
  const uint64_t staleness = contribution.update_version.Since(contribution.attack_version);
  to->attack.Add(staleness);
  StalenessBook::Origins& origins = to->origins;
  if (const auto said = contribution.attack_origins; said.has_value()) {
    origins.attack_lease += said->lease;
    origins.attack_compute += said->compute;
    origins.attack_queue += staleness - said->lease - said->compute;
  } else {
    origins.attack_unsaid += staleness;
  }
  if (!contribution.attack_cosine.has_value()) return;
  StalenessBook::Cosines& cosines = to->cosines;
  cosines.newest = *contribution.attack_cosine;
  cosines.least = std::min(cosines.least, cosines.newest);
  cosines.sum += cosines.newest;
  ++cosines.units;
}

void AddUpdate(const Contribution& contribution, Version applied_at, StalenessBook::Worker* to) {
  to->update.Add(applied_at.Since(contribution.update_version));
  const Version came =
      std::clamp(contribution.newest_on_arrival, contribution.update_version, applied_at);
  to->origins.update_compute += came.Since(contribution.update_version);
  to->origins.update_apply += applied_at.Since(came);
}

}  // namespace

template <class Change>
void StalenessBook::Count(const std::string& name, const Change& change) {
  change(all_);
  workers_.Touch(name, [&change](Worker& worker) {
    change(worker);
    return worker.attack.bytes() + worker.update.bytes();
  });
}

void StalenessBook::AddOutcome(const std::string& worker, PushOutcome outcome) {
  MutexLock lock(&mutex_);
  Count(worker, [outcome](Worker& entry) {
    ++(outcome == PushOutcome::kAccepted ? entry.accepted : entry.duplicates);
  });
}

void StalenessBook::AddRejected(const std::string& worker) {
  MutexLock lock(&mutex_);
  Count(worker, [](Worker& entry) { ++entry.rejected; });
}

void StalenessBook::AddApplied(const std::vector<Contribution>& contributions, const Unit& unit,
                               Version applied_at, absl::Time published) {
  MutexLock lock(&mutex_);
  VersionRecord record{applied_at + 1, unit, published, {}};
  for (const Contribution& contribution : contributions) {
    if (streams_[contribution.stream.value()].attacked()) {
      Count(contribution.worker,
            [&contribution](Worker& entry) { AddAttack(contribution, &entry); });
    }
    if (contribution.stream == StreamIndex(0)) {  // every unit has it: counted there, once
      Count(contribution.worker, [&contribution, applied_at](Worker& entry) {
        AddUpdate(contribution, applied_at, &entry);
      });
      ++record.slots_by_worker[contribution.worker];
    }
  }
  versions_.push_back(std::move(record));
  if (versions_.size() > versions_kept_) versions_.pop_front();
}

StalenessBook::View StalenessBook::Read() const {
  MutexLock lock(&mutex_);
  return {all_, workers_.Read(), {versions_.begin(), versions_.end()}};
}

StalenessBook::Worker StalenessBook::all() const {
  MutexLock lock(&mutex_);
  return all_;
}

StalenessBook::Means StalenessBook::means() const {
  MutexLock lock(&mutex_);
  return {all_.attack.mean(), all_.update.mean()};
}

uint64_t StalenessBook::bytes() const {
  MutexLock lock(&mutex_);
  return workers_.bytes();
}

}  // namespace conadv
