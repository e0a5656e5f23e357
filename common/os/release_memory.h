// SPDX-License-Identifier: Apache-2.0
// Gives back to the system what the allocator keeps for later. Thread-safe.
#ifndef CONADV_COMMON_OS_RELEASE_MEMORY_H_
#define CONADV_COMMON_OS_RELEASE_MEMORY_H_

namespace conadv {

// After it, a process's resident memory is what it uses. Takes milliseconds, and what is allocated
// next costs page faults: for when it matters.
void ReleaseMemory();

}  // namespace conadv

#endif  // CONADV_COMMON_OS_RELEASE_MEMORY_H_
