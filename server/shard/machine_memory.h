// SPDX-License-Identifier: Apache-2.0
// How much memory this process may have: the machine's, its container's (cgroup v1 or v2, and all
// that it lies in) or its address space's (ulimit -v), whichever is least. Pure functions, and one
// that reads.
#ifndef CONADV_SERVER_SHARD_MACHINE_MEMORY_H_
#define CONADV_SERVER_SHARD_MACHINE_MEMORY_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "common/os/file.h"

namespace conadv {

struct MachineMemory {
  uint64_t bytes = 0;
  std::string whose;  // "this machine has", to be followed by an amount
};

// The files that limit a process, by the texts of its /proc/self/cgroup and /proc/self/mountinfo:
// one for each group from its own up to the mount point.
std::vector<std::string> MemoryLimitFiles(absl::string_view cgroup, absl::string_view mountinfo);

// What such a file says; nothing: no limit.
std::optional<uint64_t> ParseMemoryLimit(absl::string_view text);

// The least of `known` and of what the files that `proc` ("/proc/self") leads to say. What cannot
// be read limits nothing.
MachineMemory LeastMemory(const FileSystem& files, const std::string& proc, MachineMemory known);

// Of this process.
MachineMemory ReadMachineMemory(const FileSystem& files);

// RESOURCE_EXHAUSTED, with both figures: `what`, as in "shard 0", may take more than there is.
absl::Status CheckFits(const std::string& what, double bytes, const MachineMemory& machine);

}  // namespace conadv

#endif  // CONADV_SERVER_SHARD_MACHINE_MEMORY_H_
