// SPDX-License-Identifier: Apache-2.0
// What a program says when the system refuses it memory or threads, and that it ends then, whatever
// library was refused. Once for each process, at its start.
#ifndef CONADV_COMMON_OS_LIMITS_H_
#define CONADV_COMMON_OS_LIMITS_H_

#include <cstdint>

#include "absl/status/status.h"

namespace conadv {

// From here on: memory that cannot be had, and what nobody catches, end the process with exit code
// 1 and a sentence on standard error that names the limit. A file that grows past its limit is an
// error of the write, not a signal. `program` lives as long as the process.
void ExplainLimits(const char* program);

// As many descriptors as the system's hard limit lets this process have; the soft one, 1024 in most
// shells, is meant for programs that use select(2). How many that is.
uint64_t TakeAllDescriptors();

// RESOURCE_EXHAUSTED, with the limit's name: so many threads cannot be started now. Asked before
// libraries that would abort, or hang, where they cannot.
absl::Status CheckThreads(int count);

}  // namespace conadv

#endif  // CONADV_COMMON_OS_LIMITS_H_
