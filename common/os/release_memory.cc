// SPDX-License-Identifier: Apache-2.0
#include "common/os/release_memory.h"

#include <malloc.h>

#include <cstddef>

// jemalloc's, which the programs are linked with and tests are not.
extern "C" int mallctl(const char* name, void* old_value, size_t* old_size, void* new_value,
                       size_t new_size) __attribute__((weak));

namespace conadv {

void ReleaseMemory() {
  if (mallctl == nullptr) {
    malloc_trim(0);
    return;
  }
  // MALLCTL_ARENAS_ALL.
  mallctl("arena.4096.purge", nullptr, nullptr, nullptr, 0);
}

}  // namespace conadv
