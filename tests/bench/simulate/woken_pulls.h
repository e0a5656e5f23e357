// SPDX-License-Identifier: Apache-2.0
// Pulls that wait for a version at a real server, each through a connection of its own, and how
// soon after it they have it.
#ifndef CONADV_TESTS_BENCH_SIMULATE_WOKEN_PULLS_H_
#define CONADV_TESTS_BENCH_SIMULATE_WOKEN_PULLS_H_

namespace conadv::bench {

// Seconds from the moment that a version of 4 KB is published until the last of so many has it: the
// median of some hundred versions. The clock is the calendar's, which both processes share.
double WakePulls(int pulls);

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_SIMULATE_WOKEN_PULLS_H_
