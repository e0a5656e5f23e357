// SPDX-License-Identifier: Apache-2.0
#include "cli/versions/version_plan.h"

#include <algorithm>

namespace conadv {

bool VersionPlan::See(const RunVersions& run) {
  const uint64_t before = run_.lineage;
  run_ = run;
  if (!begun_) from_ = run.latest;
  begun_ = true;
  if (run.lineage == 0) run_.lineage = before;  // it goes back now: the next answer says how far
  if (before == 0 || run_.lineage == before || from_ <= run.restored + 1) return false;
  from_ = run.restored + 1;
  return true;
}

std::optional<uint64_t> VersionPlan::next() const {
  const uint64_t multiple = (from_ + every_ - 1) / every_ * every_;
  if (run_.final_version == 0) return multiple;
  if (from_ > run_.final_version) return std::nullopt;
  return std::min(multiple, run_.final_version);
}

std::pair<uint64_t, uint64_t> VersionPlan::Missed() {
  const uint64_t first = *next();
  from_ = std::max(first + 1, run_.latest);
  return {first, std::max(first, (from_ - 1) / every_ * every_)};
}

}  // namespace conadv
