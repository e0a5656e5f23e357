// SPDX-License-Identifier: Apache-2.0
// Of which versions there is a checkpoint: the same on every shard, chosen ahead of time, and the
// next only after every shard has answered for the one before. Pure state; not thread-safe.
#ifndef CONADV_SERVER_COORDINATE_CHECKPOINT_SCHEDULE_H_
#define CONADV_SERVER_COORDINATE_CHECKPOINT_SCHEDULE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "absl/time/time.h"
#include "common/base/ids.h"
#include "server/coordinate/member.h"

namespace conadv {

struct CheckpointScheduleOptions {
  uint64_t every = 0;       // versions; 0: by time
  absl::Duration interval;  // without `every`
  uint32_t shards = 1;
  size_t keep = 3;  // common versions
};

class CheckpointSchedule {
 public:
  explicit CheckpointSchedule(const CheckpointScheduleOptions& options) : options_(options) {}

  // Training begins with version `first`: the initial one, for which every shard answers unasked,
  // as for `last`; or a restored one, the newest of `written`, which every shard has.
  void Begin(Version first, const std::vector<Version>& written, Version last, absl::Time now);
  // The version to ask every shard for, if it is time; `latest` is shard 0's newest.
  std::optional<Version> Next(Version latest, absl::Time now);
  // Out of turn, because the run is about to be stopped: the version to ask for now, if one has to
  // be. It is just ahead, or the latest itself if nothing `moves` the run on.
  std::optional<Version> Save(Version latest, bool moves, absl::Time now);
  // Whether what Save asked for is there, or never will be.
  bool saved() const;
  // REQUIRES: saved(). It never will be.
  bool save_failed() const { return common_.empty() || common_.back() < *save_; }
  // Nothing is wanted out of turn any more, or something else.
  void EndSave() { save_.reset(); }
  // The newest version that every shard has written.
  std::optional<Version> newest() const {
    return common_.empty() ? std::nullopt : std::optional<Version>(common_.back());
  }
  void OnAnswer(uint32_t shard, const CheckpointAnswer& answer);
  // Whether every shard has answered for the last version, and which have not.
  bool last_answered() const { return last_answered_.size() == options_.shards; }
  std::vector<uint32_t> last_unanswered() const;
  // The longest that one has taken of late.
  absl::Duration took() const { return took_; }
  // The newest versions that every shard has written, by rising version; at most `keep`.
  const std::vector<Version>& common() const { return common_; }

 private:
  void Ask(Version version, absl::Time now);
  void AddCommon(Version version);

  const CheckpointScheduleOptions options_;
  bool begun_ = false;
  Version last_;
  std::optional<Version> asked_;
  bool missed_ = false;                         // by one of those who answered for `asked_`
  std::optional<Version> save_;                 // asked for by Save
  std::set<uint32_t> unanswered_;               // shards, for `asked_`
  std::map<uint32_t, CheckpointAnswer> early_;  // before Begin
  bool all_written_ = true;                     // of those who answered
  std::set<uint32_t> last_answered_;
  std::vector<Version> common_;
  absl::Time asked_at_;
  absl::Duration took_;  // the slowest shard's last one
  // How far ahead: shards may be some versions on by the time they are asked.
  uint64_t ahead_ = 2;
};

}  // namespace conadv

#endif  // CONADV_SERVER_COORDINATE_CHECKPOINT_SCHEDULE_H_
