// SPDX-License-Identifier: Apache-2.0
#include "server/coordinate/restore.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "common/base/printable.h"
#include "common/program/exit_code.h"

namespace conadv {
namespace {

// Enough to see what is wrong; a sentence, not a list.
constexpr size_t kMostPartsNamed = 4;

bool Has(const CheckpointReport& shard, const CheckpointId& id) {
  return std::find(shard.usable.begin(), shard.usable.end(), id) != shard.usable.end();
}

// By rising version.
std::vector<CheckpointId> OnEveryShard(const std::vector<CheckpointReport>& shards) {
  std::vector<CheckpointId> common;
  if (shards.empty()) return common;
  for (const CheckpointId& id : shards.front().usable) {
    const bool everywhere =
        std::all_of(shards.begin(), shards.end(),
                    [&id](const CheckpointReport& shard) { return Has(shard, id); });
    if (everywhere) common.push_back(id);
  }
  std::sort(common.begin(), common.end(),
            [](const CheckpointId& a, const CheckpointId& b) { return a.version < b.version; });
  return common;
}

// Whether something would be lost that is more than the seed's initial weights.
bool IsOfWorth(const CheckpointReport& shard) {
  const auto beyond_zero = [](const auto& one) { return one.version > Version(0); };
  return std::any_of(shard.usable.begin(), shard.usable.end(), beyond_zero) ||
         std::any_of(shard.refused.begin(), shard.refused.end(), beyond_zero);
}

std::string WhatItHas(uint32_t number, const CheckpointReport& shard) {
  const std::string name = absl::StrCat("shard ", number);
  if (shard.directory.empty()) return absl::StrCat(name, " keeps no checkpoints");
  std::vector<std::string> parts;
  for (const CheckpointId& id : shard.usable) parts.push_back(ToText(id));
  for (const RefusedCheckpoint& one : shard.refused) {
    parts.push_back(absl::StrCat("refused version ", one.version.value(), " (", one.reason, ")"));
  }
  const size_t more = parts.size() > kMostPartsNamed ? parts.size() - kMostPartsNamed : 0;
  parts.resize(parts.size() - more);
  if (more > 0) parts.push_back(absl::StrCat(more, " more"));
  return absl::StrCat(name, " has ", parts.empty() ? "none" : absl::StrJoin(parts, ", "), " in ",
                      shard.directory);
}

std::string WhatAllHave(const std::vector<CheckpointReport>& shards) {
  std::vector<std::string> each;
  for (uint32_t number = 0; number < shards.size(); ++number) {
    each.push_back(WhatItHas(number, shards[number]));
  }
  return Printable(absl::StrJoin(each, "; "));
}

// Whether the shard has something newer that is damaged or of another run. What the same run wrote
// on some shards before it was cut off is nothing to tell of.
bool IsLeftBehind(const CheckpointReport& shard, const CheckpointId& target) {
  return std::any_of(shard.usable.begin(), shard.usable.end(),
                     [&target](const CheckpointId& id) {
                       return id.run != target.run && id.version >= target.version;
                     }) ||
         std::any_of(
             shard.refused.begin(), shard.refused.end(),
             [&target](const RefusedCheckpoint& one) { return one.version >= target.version; });
}

}  // namespace

RestoreChoice ChooseRestore(const std::vector<CheckpointReport>& shards, bool begin_anew) {
  RestoreChoice choice;
  const std::vector<CheckpointId> common = OnEveryShard(shards);
  if (!common.empty()) {
    choice.target = common.back();
    for (const CheckpointId& id : common) {
      if (id.run == choice.target->run) choice.written.push_back(id.version);
    }
    const bool left = std::any_of(shards.begin(), shards.end(), [&](const CheckpointReport& shard) {
      return IsLeftBehind(shard, *choice.target);
    });
    if (left) {
      choice.warning =
          absl::StrCat("the run goes on from ", ToText(*choice.target),
                       ", the newest checkpoint that every shard has: ", WhatAllHave(shards));
    }
    return choice;
  }
  if (std::none_of(shards.begin(), shards.end(), IsOfWorth)) return choice;
  const std::string what =
      absl::StrCat("no checkpoint is one and the same on every shard: ", WhatAllHave(shards));
  if (begin_anew) {
    choice.warning = absl::StrCat("the run begins anew at version 0, and its checkpoints are set ",
                                  "aside beside them, because ", what);
  } else {
    choice.refusal = WithExitCode(
        absl::AbortedError(absl::StrCat(
            what,
            ". Bring back what is missing (a disk that is not mounted, another --checkpoint_dir), "
            "or say --begin_anew: the run then begins at version 0, and these are set aside")),
        kExitNever);
  }
  return choice;
}

absl::Status Restore::Begin(bool begin_anew) {
  choice_ = ChooseRestore(reports_, begin_anew);
  // They have long texts, and are needed no more.
  for (CheckpointReport& report : reports_) report = {};
  return choice_.refusal;
}

void Restore::OnRestored(uint32_t shard, const std::optional<RunState>& state) {
  restored_.insert(shard);
  if (shard == 0) state_ = state;
}

std::optional<RunState> Restore::TakeState() {
  std::optional<RunState> state = std::exchange(state_, std::nullopt);
  return choice_.target.has_value() ? std::move(state) : std::nullopt;
}

}  // namespace conadv
