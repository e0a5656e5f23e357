// SPDX-License-Identifier: Apache-2.0
#include "server/staleness_book.h"

namespace conadv {
namespace {

constexpr size_t kMostWorkers = 4096;
constexpr char kOthers[] = "(others)";

}  // namespace

StalenessBook::Worker& StalenessBook::WorkerOf(const std::string& name) {
  const auto found = workers_.find(name);
  if (found != workers_.end()) return found->second;
  return workers_[workers_.size() < kMostWorkers ? name : kOthers];
}

void StalenessBook::AddOutcome(const std::string& worker, PushOutcome outcome) {
  MutexLock lock(&mutex_);
  for (Worker* entry : {&all_, &WorkerOf(worker)}) {
    ++(outcome == PushOutcome::kAccepted ? entry->accepted : entry->duplicates);
  }
}

void StalenessBook::AddRejected(const std::string& worker) {
  MutexLock lock(&mutex_);
  ++all_.rejected;
  ++WorkerOf(worker).rejected;
}

void StalenessBook::AddApplied(const std::vector<Contribution>& contributions, const Unit& unit,
                               Version applied_at, absl::Time published) {
  MutexLock lock(&mutex_);
  VersionRecord record{applied_at + 1, unit, published, {}};
  for (const Contribution& contribution : contributions) {
    Worker& worker = WorkerOf(contribution.worker);
    if (contribution.stream == GradientStream::kAdversarial) {
      const uint64_t staleness = contribution.update_version.Since(contribution.attack_version);
      all_.attack.Add(staleness);
      worker.attack.Add(staleness);
    } else {  // every unit has a clean stream: count it there, once
      const uint64_t staleness = applied_at.Since(contribution.update_version);
      all_.update.Add(staleness);
      worker.update.Add(staleness);
      ++record.slots_by_worker[contribution.worker];
    }
  }
  versions_.push_back(std::move(record));
  if (versions_.size() > versions_kept_) versions_.pop_front();
}

StalenessBook::View StalenessBook::Read() const {
  MutexLock lock(&mutex_);
  return {all_, workers_, {versions_.begin(), versions_.end()}};
}

}  // namespace conadv
