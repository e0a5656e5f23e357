// SPDX-License-Identifier: Apache-2.0
// What the system counts of a process. Linux; the program ends if there is no such process.
#ifndef CONADV_TESTS_BENCH_SIMULATE_PROCESS_FIGURES_H_
#define CONADV_TESTS_BENCH_SIMULATE_PROCESS_FIGURES_H_

#include <sys/types.h>

#include <cstdint>

namespace conadv::bench {

// Of all its threads, in user and in kernel mode.
double CoreSeconds(pid_t process);
// The most that it ever was.
uint64_t MostResidentBytes(pid_t process);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_PROCESS_FIGURES_H_
