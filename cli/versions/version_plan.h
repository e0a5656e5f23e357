// SPDX-License-Identifier: Apache-2.0
// Which versions of a run are written, one after the other: every K-th, and the last. Knows no
// server and no disk: a value with pure steps.
#ifndef CONADV_CLI_VERSIONS_VERSION_PLAN_H_
#define CONADV_CLI_VERSIONS_VERSION_PLAN_H_

#include <cstdint>
#include <optional>
#include <utility>

namespace conadv {

// What a server says of its run.
struct RunVersions {
  uint64_t latest = 0;
  uint64_t final_version = 0;  // 0: not known yet
  uint64_t lineage = 0;        // 0: it has none now
  uint64_t restored = 0;       // what this lineage began with
};

class VersionPlan {
 public:
  // Multiples of `every` > 0.
  explicit VersionPlan(uint64_t every) : every_(every) {}

  // The first call says what to begin with: the newest version, if it is one, or else the next. If
  // the run has gone back behind what was written, that is written again: true then.
  bool See(const RunVersions& run);
  // The version to write now; none once the last one is written. REQUIRES: See was called.
  std::optional<uint64_t> next() const;
  // The next one is written. REQUIRES: there is one.
  void Wrote() { from_ = *next() + 1; }
  // The next one cannot be had any more: on with the newest that See was told of, or after it. What
  // is passed so, the first and the last of them. REQUIRES: there is a next one.
  std::pair<uint64_t, uint64_t> Missed();

 private:
  const uint64_t every_;
  RunVersions run_;
  bool begun_ = false;
  uint64_t from_ = 0;  // no version before it comes next
};

}  // namespace conadv

#endif  // CONADV_CLI_VERSIONS_VERSION_PLAN_H_
