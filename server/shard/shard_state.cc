// SPDX-License-Identifier: Apache-2.0
#include "server/shard/shard_state.h"

#include "absl/strings/str_cat.h"
#include "common/base/retry_delay.h"
#include "common/protocol/tau_schedule.h"

namespace conadv {

AggregatorOptions AggregatorOptionsOf(const Job& job, const ShardRun& run) {
  return {job.training.sync(), job.training.slots, run.plan.steps, run.streams};
}

size_t KeptArenas(const Job& job) {
  const size_t weights = 2 + MostVersionsBack(job) + 1;
  return job.optimizer.average.has_value() ? weights + 2 : weights;
}

std::optional<NextUpdate> Shard::State::TakeNext() {
  MutexLock lock(&mutex);
  if (applying) return std::nullopt;  // whoever applies looks again before it stops
  std::optional<NextUpdate> next;
  if (measured.has_value()) {
    if (!measured->norm.has_value()) return std::nullopt;
    next = std::exchange(measured, std::nullopt);
  } else {
    std::optional<ClosedGroup> group = sequencer.TakeNext();
    if (!group.has_value()) return std::nullopt;
    next = NextUpdate{*std::move(group), {}, std::nullopt};
  }
  applying = true;
  return next;
}

absl::Status Shard::State::CheckRoom(const Contribution& contribution) {
  const uint64_t in_use = contributions.in_use();
  if (in_use < run->room.openings) return absl::OkStatus();
  // What frees memory, or is waited for by what does, has room of its own: refused, it would wait
  // for itself. In SYNC that is the first slot that a tree lacks: its values climb. Else a unit of
  // which one stream is here, and the unit that a follower has to apply next.
  const uint32_t ahead = sync ? aggregator.Ahead(contribution.unit, contribution.stream) : 0;
  const bool frees = sync ? ahead == 0 : HasOtherStreamOf(contribution);
  const bool awaited = sequencer.awaited() == contribution.unit;
  if (frees && in_use < run->room.freeing) return absl::OkStatus();
  if (awaited && in_use < run->room.all) return absl::OkStatus();
  return Refused(absl::StrCat("holds ", in_use, " contributions"),
                 sync ? retry_delays.RefuseBehind(ahead) : retry_delays.Refuse());
}

bool Shard::State::HasOtherStreamOf(const Contribution& contribution) const {
  for (size_t stream = 0; stream < run->streams.size(); ++stream) {
    const StreamIndex other(stream);
    if (other != contribution.stream && aggregator.IsDuplicate(contribution.unit, other)) {
      return true;
    }
  }
  return false;
}

absl::Status Shard::State::Refused(const std::string& why, absl::Duration delay) const {
  return WithRetryDelay(absl::ResourceExhaustedError(absl::StrCat(
                            "shard ", shard, " ", why, "; retry in ", absl::FormatDuration(delay))),
                        delay);
}

}  // namespace conadv
