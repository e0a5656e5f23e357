// SPDX-License-Identifier: Apache-2.0
#include "tests/chaos/fault_plan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr FaultKind kKinds[] = {FaultKind::kKill, FaultKind::kStop,    FaultKind::kFreeze,
                                FaultKind::kCut,  FaultKind::kCorrupt, FaultKind::kDiskFull};
// Of a hundred faults.
constexpr uint64_t kKills = 36;
constexpr uint64_t kStops = 22;
constexpr uint64_t kFreezes = 7;
constexpr uint64_t kCuts = 15;
constexpr uint64_t kCorruptions = 12;
// One stop in so many is for ever: it takes the supervisor a while to find out.
constexpr uint64_t kForEver = 12;

FaultKind DrawKind(Random& random) {
  uint64_t draw = random.Below(100);
  const std::pair<FaultKind, uint64_t> shares[] = {{FaultKind::kKill, kKills},
                                                   {FaultKind::kStop, kStops},
                                                   {FaultKind::kFreeze, kFreezes},
                                                   {FaultKind::kCut, kCuts},
                                                   {FaultKind::kCorrupt, kCorruptions}};
  for (const auto& [kind, share] : shares) {
    if (draw < share) return kind;
    draw -= share;
  }
  return FaultKind::kDiskFull;
}

bool HasTime(FaultKind kind) {
  return kind == FaultKind::kStop || kind == FaultKind::kFreeze || kind == FaultKind::kDiskFull;
}

std::string DrawProcess(Random& random, FaultKind kind, const FaultPlanOptions& options) {
  if (kind == FaultKind::kFreeze) {
    const uint64_t draw = random.Below(options.workers + 1);
    return draw < options.workers ? absl::StrCat("worker-", draw) : "evaluator";
  }
  const bool server = kind == FaultKind::kCorrupt || kind == FaultKind::kDiskFull;
  const uint64_t draw =
      random.Below(server ? options.servers : options.servers + options.workers + 1);
  if (draw < options.servers) return absl::StrCat("server-", draw);
  if (draw == options.servers + options.workers) return "evaluator";
  return absl::StrCat("worker-", draw - options.servers);
}

absl::Status Bad(absl::string_view fault, absl::string_view why) {
  return absl::InvalidArgumentError(absl::StrCat("fault \"", fault, "\": ", why));
}

absl::StatusOr<Fault> ParseFault(absl::string_view text) {
  const std::vector<std::string> words = absl::StrSplit(text, ' ', absl::SkipEmpty());
  Fault fault;
  if (words.size() < 4 || words[0] != "at" || !absl::SimpleAtoi(words[1], &fault.version)) {
    return Bad(text, "it is \"at VERSION KIND PROCESS [for TIME]\"");
  }
  const auto kind = std::find_if(std::begin(kKinds), std::end(kKinds),
                                 [&](FaultKind k) { return FaultKindName(k) == words[2]; });
  if (kind == std::end(kKinds)) return Bad(text, "there is no such kind");
  fault.kind = *kind;
  fault.process = words[3];
  const bool timed = words.size() == 6 && words[4] == "for";
  if (HasTime(fault.kind) != timed || (timed && !absl::ParseDuration(words[5], &fault.time))) {
    return Bad(text, HasTime(fault.kind) ? "for how long?" : "it takes no time");
  }
  return fault;
}

}  // namespace

absl::string_view FaultKindName(FaultKind kind) {
  switch (kind) {
    case FaultKind::kKill: return "kill";
    case FaultKind::kStop: return "stop";
    case FaultKind::kFreeze: return "freeze";
    case FaultKind::kCut: return "cut";
    case FaultKind::kCorrupt: return "corrupt";
    case FaultKind::kDiskFull: return "disk-full";
  }
  return "";
}

FaultPlan MakeFaultPlan(uint64_t seed, const FaultPlanOptions& options) {
  Random random(seed, Purpose::kAttackTarget);
  FaultPlan plan(options.fewest + random.Below(options.most - options.fewest + 1));
  for (Fault& fault : plan) {
    fault.version = 1 + random.Below(options.last_version - 1);
    fault.kind = DrawKind(random);
    fault.process = DrawProcess(random, fault.kind, options);
    const absl::Duration time = absl::Milliseconds(100 + random.Below(3000));
    const bool for_ever = fault.kind != FaultKind::kDiskFull && random.Below(kForEver) == 0;
    if (HasTime(fault.kind)) fault.time = for_ever ? absl::InfiniteDuration() : time;
  }
  std::stable_sort(plan.begin(), plan.end(),
                   [](const Fault& a, const Fault& b) { return a.version < b.version; });
  return plan;
}

std::string ToText(const FaultPlan& plan) {
  return absl::StrJoin(plan, "; ", [](std::string* out, const Fault& fault) {
    absl::StrAppend(out, "at ", fault.version, " ", FaultKindName(fault.kind), " ", fault.process);
    if (HasTime(fault.kind)) absl::StrAppend(out, " for ", absl::FormatDuration(fault.time));
  });
}

absl::StatusOr<FaultPlan> ParseFaultPlan(absl::string_view text) {
  FaultPlan plan;
  for (const absl::string_view part : absl::StrSplit(text, ';', absl::SkipWhitespace())) {
    CONADV_ASSIGN_OR_RETURN(Fault fault, ParseFault(part));
    plan.push_back(std::move(fault));
  }
  return plan;
}

}  // namespace conadv
