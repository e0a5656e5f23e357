// SPDX-License-Identifier: Apache-2.0
#include "server/observe/goodput_keeper.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "common/base/random.h"
#include "glog/logging.h"
#include "server/metrics/collect.h"
#include "server/metrics/goodput_journal.h"

namespace conadv {
namespace {

// Which run a lineage is of, by the checkpoints that there are of it. Nothing: none is yet.
std::optional<Lineage> RunOf(const CheckpointReport& checkpoints, const Goodput::Sight& sight) {
  for (const CheckpointId& id : checkpoints.usable) {
    // Version 0 of another run may lie there until this one's takes its place.
    const bool began_with = sight.first > Version(0) && id.version == sight.first;
    if (id.lineage == sight.lineage || began_with) return id.run;
  }
  return std::nullopt;
}

bool Same(const Goodput::Sums& a, const Goodput::Sums& b) {
  return a.lineages == b.lineages && a.made_updates == b.made_updates &&
         a.lost_updates == b.lost_updates && a.trained == b.trained && a.lost == b.lost;
}

}  // namespace

GoodputKeeper::GoodputKeeper(ServerWindow* window, const FileSystem* files, const Clock* clock,
                             absl::Duration interval)
    : window_(window),
      files_(files),
      clock_(clock),
      interval_(interval),
      started_(clock->Now()),
      process_(absl::StrFormat("%016x", RandomIncarnation().value())) {
  window_->SetLastLook([this](const ServerParts& parts) { See(parts); });
  if (interval_ > absl::ZeroDuration()) thread_ = std::thread([this] { Loop(); });
}

GoodputKeeper::~GoodputKeeper() {
  {
    MutexLock lock(&mutex_);
    stopped_ = true;
  }
  stop_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void GoodputKeeper::Loop() {
  while (true) {
    {
      MutexLock lock(&mutex_);
      if (!stopped_) stop_.WaitFor(&mutex_, interval_);
      if (stopped_) return;
    }
    Look();
  }
}

void GoodputKeeper::See(const ServerParts& parts) {
  const std::optional<Goodput::Sight> sight = SightOf(parts);
  if (!sight.has_value()) return;
  const CheckpointReport checkpoints = parts.checkpointer->Stored();
  const bool kept = !checkpoints.directory.empty();
  const std::optional<Lineage> run = kept ? RunOf(checkpoints, *sight) : std::nullopt;
  MutexLock lock(&mutex_);
  if (!kept) {
    goodput_.See(*sight);
    shown_ = goodput_.sums();
  } else if (run.has_value()) {
    place_ = Place{checkpoints.directory, parts.shard->shard(), parts.shard->shards(), *run};
    // Else it first has to know what the process before has seen.
    if (run_ == *run) goodput_.See(*sight);
  }
}

void GoodputKeeper::Look() {
  const auto see = [this] {
    window_->With([this](const ServerParts* parts, const std::string&) {
      if (parts != nullptr) See(*parts);
      return 0;
    });
  };
  see();
  std::optional<Place> place;
  bool known;
  {
    MutexLock lock(&mutex_);
    place = place_;
    known = place.has_value() && run_ == place->run;
  }
  if (!place.has_value()) return;
  if (!known) {
    GoOn(*place);
    see();
  }
  WriteDown(*place);
}

void GoodputKeeper::GoOn(const Place& place) {
  const GoodputJournal journal(place.directory, place.shard, place.shards, files_);
  absl::StatusOr<std::optional<GoodputEntry>> entry = journal.Read();
  if (!entry.ok()) {
    LOG_FIRST_N(WARNING, 1) << "goodput: " << entry.status().message();
    // What cannot be read now may be read later.
    if (!absl::IsDataLoss(entry.status())) return;
    entry = std::nullopt;
  }
  MutexLock lock(&mutex_);
  run_ = place.run;
  // A process that has served another run before counts that too.
  const bool counts = goodput_.sums().lineages > 0;
  if (counts || !entry->has_value() || (*entry)->run != place.run) return;
  goodput_ = Goodput::FromRecord((*entry)->record, started_, clock_->Now(), clock_->WallNow());
  process_ = (*entry)->process;
  shown_ = goodput_.sums();
}

void GoodputKeeper::WriteDown(const Place& place) {
  GoodputEntry entry;
  {
    MutexLock lock(&mutex_);
    if (run_ != place.run) return;
    std::optional<Goodput::Record> record = goodput_.ToRecord(clock_->Now(), clock_->WallNow());
    if (!record.has_value() || (shown_.has_value() && Same(record->sums, *shown_))) return;
    entry = {place.run, process_, *std::move(record)};
  }
  const GoodputJournal journal(place.directory, place.shard, place.shards, files_);
  if (const absl::Status status = journal.Write(entry); !status.ok()) {
    LOG_FIRST_N(WARNING, 1) << "goodput stands still: " << status.message();
    return;
  }
  MutexLock lock(&mutex_);
  shown_ = entry.record.sums;
}

std::optional<GoodputKeeper::Shown> GoodputKeeper::shown() const {
  MutexLock lock(&mutex_);
  if (!shown_.has_value()) return std::nullopt;
  return Shown{*shown_, process_};
}

}  // namespace conadv
