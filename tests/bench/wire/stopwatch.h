// SPDX-License-Identifier: Apache-2.0
#ifndef CONADV_TESTS_BENCH_WIRE_STOPWATCH_H_
#define CONADV_TESTS_BENCH_WIRE_STOPWATCH_H_

#include <chrono>

namespace conadv::bench {

inline double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace conadv::bench

#endif  // CONADV_TESTS_BENCH_WIRE_STOPWATCH_H_
