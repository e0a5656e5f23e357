// SPDX-License-Identifier: Apache-2.0
// A real server under many workers for many tiny steps, and what became of its memory. Linux.
#ifndef CONADV_TESTS_SOAK_SOAK_RUN_H_
#define CONADV_TESTS_SOAK_SOAK_RUN_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/soak/tiny_run.h"

namespace conadv {

struct SoakOptions {
  std::string server;  // conadv-server
  TinyRun run;
  uint32_t workers = 16;
  bool checkpoints = true;
  uint32_t slow_readers =
      0;  // strangers who take a megabyte of the latest version every two seconds
};

struct SoakResult {
  std::string problem;        // empty: it ended by itself with every step done
  double seconds = 0;         // of training
  std::vector<double> steps;  // seconds between one version and the next
  uint64_t limit_bytes = 0;   // what the server may take, as it said at start-up
  uint64_t most_bytes = 0;    // what it said that it took
  // Of its process, as the system counts: before any worker came, in the first tenth of the steps,
  // and in all.
  uint64_t resident_before = 0;
  uint64_t resident_early = 0;
  uint64_t resident_most = 0;
};

SoakResult RunSoak(const SoakOptions& options);

struct StepTimes {
  double median = 0;
  double worst = 0;
};
StepTimes StepTimesOf(std::vector<double> steps);

// What is wrong with the memory; empty if nothing is. All that came with the run has to fit into
// the limit and a tenth of it.
std::string CheckMemory(const SoakResult& result);

}  // namespace conadv

#endif  // CONADV_TESTS_SOAK_SOAK_RUN_H_
