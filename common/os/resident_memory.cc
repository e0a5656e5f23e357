// SPDX-License-Identifier: Apache-2.0
#include "common/os/resident_memory.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdlib>

namespace conadv {

ResidentMemory::ResidentMemory() : statm_(open("/proc/self/statm", O_RDONLY | O_CLOEXEC)) {}

uint64_t ResidentMemory::bytes() const {
  // "SIZE RESIDENT SHARED …", in pages.
  char text[128];
  const ssize_t size = pread(statm_.get(), text, sizeof(text) - 1, 0);
  if (size <= 0) return 0;
  text[size] = '\0';
  char* end = nullptr;
  std::strtoull(text, &end, 10);
  return std::strtoull(end, nullptr, 10) * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace conadv
