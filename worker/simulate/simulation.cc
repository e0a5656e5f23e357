// SPDX-License-Identifier: Apache-2.0
#include "worker/simulate/simulation.h"

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/base/nearest.h"
#include "common/base/status_macros.h"

namespace conadv {
namespace {

constexpr absl::Duration kLongest = absl::Minutes(1);
constexpr uint64_t kMostParameters = 10'000'000'000;
constexpr int kMostLanes = 256;

absl::Status Refuse(absl::string_view field, absl::string_view must, absl::string_view value) {
  return absl::InvalidArgumentError(
      absl::StrCat("--simulate: ", field, ": must be ", must, ", got \"", value, "\""));
}

absl::Status ReadTime(absl::string_view field, absl::string_view value, absl::Duration* time) {
  if (absl::ParseDuration(value, time) && *time >= absl::ZeroDuration() && *time <= kLongest) {
    return absl::OkStatus();
  }
  return Refuse(field, "a time from 0 to 1m, as in 50ms", value);
}

absl::Status ReadParameters(absl::string_view field, absl::string_view value, uint64_t* count) {
  uint64_t factor = 1;
  absl::string_view digits = value;
  for (const auto& [suffix, worth] :
       {std::pair<char, uint64_t>{'K', 1'000}, {'M', 1'000'000}, {'G', 1'000'000'000}}) {
    if (digits.empty() || digits.back() != suffix) continue;
    factor = worth;
    digits.remove_suffix(1);
    break;
  }
  if (absl::SimpleAtoi(digits, count) && *count > 0 && *count <= kMostParameters / factor) {
    *count *= factor;
    return absl::OkStatus();
  }
  return Refuse(field, "a number from 1 to 10G, as in 25M", value);
}

absl::Status ReadLanes(absl::string_view field, absl::string_view value, int* lanes) {
  if (absl::SimpleAtoi(value, lanes) && *lanes >= 1 && *lanes <= kMostLanes) {
    return absl::OkStatus();
  }
  return Refuse(field, absl::StrCat("a number from 1 to ", kMostLanes), value);
}

absl::Status ReadField(absl::string_view field, absl::string_view value, Simulation* simulation) {
  if (field == "attack") return ReadTime(field, value, &simulation->attack);
  if (field == "clean") return ReadTime(field, value, &simulation->clean);
  if (field == "adversarial") return ReadTime(field, value, &simulation->adversarial);
  if (field == "parameters") return ReadParameters(field, value, &simulation->parameters);
  if (field == "lanes") return ReadLanes(field, value, &simulation->lanes);
  const std::vector<std::string> fields = {"attack", "clean", "adversarial", "parameters", "lanes"};
  const std::string nearest = Nearest(field, fields);
  return absl::InvalidArgumentError(
      absl::StrCat("--simulate: there is no \"", field, "\"",
                   nearest.empty() ? "" : absl::StrCat(", did you mean ", nearest, "?"),
                   "; it has ", absl::StrJoin(fields, ", ")));
}

}  // namespace

absl::StatusOr<Simulation> ParseSimulation(absl::string_view text) {
  Simulation simulation;
  std::set<std::string> seen;
  for (const absl::string_view part : absl::StrSplit(text, ',', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> field =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    CONADV_RETURN_IF_ERROR(ReadField(field.first, field.second, &simulation));
    if (!seen.insert(std::string(field.first)).second) {
      return absl::InvalidArgumentError(
          absl::StrCat("--simulate: ", field.first, ": is there twice"));
    }
  }
  return simulation;
}

}  // namespace conadv
