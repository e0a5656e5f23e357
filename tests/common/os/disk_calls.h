// SPDX-License-Identifier: Apache-2.0
// This program's own fsync, read and rename, which stand before the C library's: what they were
// asked for, and answers as disks beyond a network give them. Thread-safe.
#ifndef CONADV_TESTS_COMMON_OS_DISK_CALLS_H_
#define CONADV_TESTS_COMMON_OS_DISK_CALLS_H_

#include <string>
#include <vector>

namespace conadv {

struct DiskFaults {
  int fsync_error = 0;            // of every one
  int stale_reads = 0;            // so many reads of files end with ESTALE
  int renames_without_reply = 0;  // so many are made, and answered as if asked for twice
  bool no_flags = false;          // there is only the rename that replaces
};

// From now on; the default is none.
void SetDiskFaults(const DiskFaults& faults);
// The paths synced since it was asked last.
std::vector<std::string> TakeSynced();

}  // namespace conadv

#endif  // CONADV_TESTS_COMMON_OS_DISK_CALLS_H_
