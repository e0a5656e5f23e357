// SPDX-License-Identifier: Apache-2.0
// How much memory this process has now. Thread-safe.
#ifndef CONADV_COMMON_OS_RESIDENT_MEMORY_H_
#define CONADV_COMMON_OS_RESIDENT_MEMORY_H_

#include <cstdint>

#include "common/os/file_descriptor.h"

namespace conadv {

class ResidentMemory {
 public:
  ResidentMemory();
  // As /proc/self/statm says (VmRSS): a microsecond, and on machines with many cores some MiB off.
  // 0: it cannot be read.
  uint64_t bytes() const;

 private:
  const FileDescriptor statm_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_OS_RESIDENT_MEMORY_H_
