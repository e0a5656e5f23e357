// SPDX-License-Identifier: Apache-2.0
#include "server/checkpointer.h"

#include <glog/logging.h>

#include <utility>
#include <vector>

#include "server/checkpoint/checkpoint.h"

namespace conadv {

// Everything a checkpoint needs, owned.
struct Checkpointer::Pending {
  std::shared_ptr<const Shard::Run> run;
  Snapshot snapshot;
  std::vector<std::pair<std::string, std::vector<float>>> states;
};

Checkpointer::Checkpointer(CheckpointerOptions options, const FileSystem* files,
                           std::function<std::shared_ptr<const Shard::Run>()> run)
    : options_(std::move(options)), files_(files), run_(std::move(run)), thread_(1) {}

bool Checkpointer::IsDue(Version version, Version last) const {
  if (options_.directory.empty()) return false;
  if (version.value() == 0 || version == last) return true;
  return options_.every > 0 && version.value() % options_.every == 0;
}

void Checkpointer::OnVersion(const Snapshot& weights, Optimizer& optimizer) {
  auto pending = std::make_shared<Pending>();
  pending->run = run_();
  const Version last = pending->run->last;
  if (!IsDue(weights.version, last)) return;
  {
    MutexLock lock(&mutex_);
    const bool must = weights.version.value() == 0 || weights.version == last;
    if (writing_ > 0 && !must) return;
    ++writing_;
  }
  pending->snapshot = weights;
  for (const Optimizer::StateTensor& state : optimizer.state()) {
    pending->states.emplace_back(state.name,
                                 std::vector<float>(state.values.begin(), state.values.end()));
  }
  thread_.Submit([this, pending = std::move(pending)] { Write(*pending); });
}

void Checkpointer::Write(const Pending& pending) {
  ShardCheckpoint checkpoint;
  checkpoint.version = pending.snapshot.version;
  checkpoint.weights = pending.snapshot.weights->span();
  for (const auto& [name, values] : pending.states) checkpoint.states.push_back({name, values});
  checkpoint.plan = PlanBytes(pending.run->plan);
  checkpoint.job = options_.job_text;
  checkpoint.job_name = options_.job_name;
  const CheckpointOwner owner{options_.directory, options_.shard, options_.shards};
  const absl::Status status = WriteCheckpoint(*files_, owner, checkpoint, pending.run->layout);
  if (!status.ok()) {
    LOG(ERROR) << "checkpoint of version " << checkpoint.version << ": " << status.message();
  }
  MutexLock lock(&mutex_);
  state_.error = status;
  if (status.ok()) state_.newest = checkpoint.version;
  --writing_;
  idle_.NotifyAll();
}

void Checkpointer::Flush() {
  MutexLock lock(&mutex_);
  while (writing_ > 0) idle_.Wait(&mutex_);
}

Checkpointer::State Checkpointer::state() const {
  MutexLock lock(&mutex_);
  return state_;
}

}  // namespace conadv
