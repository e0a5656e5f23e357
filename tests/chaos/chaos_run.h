// SPDX-License-Identifier: Apache-2.0
// One run of `conadv train` in which things go wrong, and what became of it.
#ifndef CONADV_TESTS_CHAOS_CHAOS_RUN_H_
#define CONADV_TESTS_CHAOS_CHAOS_RUN_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "tests/chaos/fault_plan.h"

namespace conadv {

struct ChaosOptions {
  std::string program;  // conadv
  std::string data;     // a directory of WriteSyntheticIdx
  uint32_t servers = 2;
  uint32_t workers = 3;
  std::vector<std::string> settings;
  uint64_t seed = 0;  // of what the plan leaves open
  // Far above what a run takes: only a hang reaches it.
  absl::Duration patience = absl::Minutes(4);
};

struct ChaosResult {
  std::string problem;  // empty: it ended by itself, exit 0, each unit in its lineage once
  std::string crc;
  double seconds = 0;
  uint64_t version = 0;
  uint64_t restarts = 0;
  uint64_t updates_recomputed = 0;
  std::map<FaultKind, int> injected;
  // Seconds from the SIGKILL of a server, or of a worker, to the next version that was published.
  std::vector<double> server_recoveries;
  std::vector<double> worker_recoveries;
  std::string log;  // what train said
};

// The job of chaos runs: small, with a short lease and many checkpoints.
std::string ChaosJob(const std::string& data);
inline constexpr uint64_t kChaosSteps = 300;

ChaosResult RunWithFaults(const ChaosOptions& options, const FaultPlan& plan);

// What is wrong with metrics.jsonl: each unit of the run has to be in it once, the versions without
// gaps; empty if nothing is.
std::string CheckLineage(const std::string& metrics, uint64_t versions);

}  // namespace conadv

#endif  // CONADV_TESTS_CHAOS_CHAOS_RUN_H_
