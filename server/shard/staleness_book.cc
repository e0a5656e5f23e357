// SPDX-License-Identifier: Apache-2.0
#include "server/shard/staleness_book.h"

namespace conadv {
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

void StalenessBook::AddArrived(const std::string& worker, uint64_t late) {
  MutexLock lock(&mutex_);
  Count(worker, [late](Worker& entry) { entry.late += late; });
}

void StalenessBook::AddApplied(const std::vector<Contribution>& contributions, const Unit& unit,
                               Version applied_at, absl::Time published) {
  MutexLock lock(&mutex_);
  VersionRecord record{applied_at + 1, unit, published, {}};
  for (const Contribution& contribution : contributions) {
    if (streams_[contribution.stream.value()].attacked()) {
      const uint64_t staleness = contribution.update_version.Since(contribution.attack_version);
      Count(contribution.worker, [staleness](Worker& entry) { entry.attack.Add(staleness); });
    }
    if (contribution.stream == StreamIndex(0)) {  // every unit has it: counted there, once
      const uint64_t staleness = applied_at.Since(contribution.update_version);
      Count(contribution.worker, [staleness](Worker& entry) { entry.update.Add(staleness); });
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
