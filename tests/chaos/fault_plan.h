// SPDX-License-Identifier: Apache-2.0
// What goes wrong in a run, and when: a plan that a seed makes, that can be printed, and that a
// failing run can be replayed from. Pure values.
#ifndef CONADV_TESTS_CHAOS_FAULT_PLAN_H_
#define CONADV_TESTS_CHAOS_FAULT_PLAN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace conadv {

enum class FaultKind {
  kKill,      // SIGKILL
  kStop,      // SIGSTOP, and SIGCONT after `time`; an infinite time: never
  kFreeze,    // a worker's or the evaluator's computation hangs, for `time`, while its heartbeat
              // lives
  kCut,       // every connection the process has
  kCorrupt,   // a byte of the server's newest checkpoint, and then SIGKILL: it has to read it
  kDiskFull,  // no byte can be written, for `time`
};

struct Fault {
  uint64_t version = 0;  // strikes when the run has published it
  FaultKind kind = FaultKind::kKill;
  std::string process;  // "server-1", "worker-0", "evaluator"
  absl::Duration time;  // kStop, kFreeze, kDiskFull
};

using FaultPlan = std::vector<Fault>;  // by version

struct FaultPlanOptions {
  uint32_t servers = 2;
  uint32_t workers = 3;
  uint64_t last_version = 100;
  uint32_t fewest = 3;
  uint32_t most = 6;
};

absl::string_view FaultKindName(FaultKind kind);

FaultPlan MakeFaultPlan(uint64_t seed, const FaultPlanOptions& options);

// "at 20 kill server-1; at 35 stop worker-0 for 1.5s", and back. INVALID_ARGUMENT names the fault.
std::string ToText(const FaultPlan& plan);
absl::StatusOr<FaultPlan> ParseFaultPlan(absl::string_view text);

}  // namespace conadv

#endif  // CONADV_TESTS_CHAOS_FAULT_PLAN_H_
