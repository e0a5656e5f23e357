// SPDX-License-Identifier: Apache-2.0
// The rows of the table that stand on simulated workers, or on a server alone; each measures and
// prints. `rounds`: samples of each figure.
#ifndef CONADV_TESTS_BENCH_SIMULATE_ROWS_H_
#define CONADV_TESTS_BENCH_SIMULATE_ROWS_H_

namespace conadv::bench {

// A step of VANILLA, DISADV and CONADV side by side: with 4 workers on this host, and behind a slow
// network; and what bytes cost there.
void SameHostSteps(int rounds);
void DelayedSteps(int rounds);
void DelayedBytes(int rounds);
// The same steps with gradients that leave during their pass and after it.
void Overlap(int rounds);
// 1 to 64 workers, each with a unit of every step.
void WeakScaling(int rounds);
// A model so small that only calls are left.
void SmallSteps(int rounds);
void UnitsOfOneCore(int rounds);
void WakingPulls(int rounds);
// The server's own.
void StepsBesideCheckpoints(int rounds);
void ResidentMemory(int rounds);
void StartOfAServer(int rounds);
void Completions(int rounds);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_ROWS_H_
