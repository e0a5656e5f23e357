// SPDX-License-Identifier: Apache-2.0
// What every fuzz target defines and every engine calls, libFuzzer (clang) or tests/fuzz/replay.cc.
// One thread.
#ifndef CONADV_TESTS_FUZZ_TARGET_H_
#define CONADV_TESTS_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>

// Returns 0 if every property holds for these bytes; else does not return.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

#endif  // CONADV_TESTS_FUZZ_TARGET_H_
