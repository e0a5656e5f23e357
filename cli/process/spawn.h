// SPDX-License-Identifier: Apache-2.0
// Starts a program as a child process that cannot outlive us. A Child is owned by one thread;
// whoever owns it reaps it.
#ifndef CONADV_CLI_PROCESS_SPAWN_H_
#define CONADV_CLI_PROCESS_SPAWN_H_

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/process/process.h"
#include "common/os/file_descriptor.h"

namespace conadv {

struct SpawnOptions {
  std::vector<std::string> arguments;    // [0] is the program's path
  std::vector<std::string> environment;  // "NAME=value", in addition to ours
  // Where standard error goes: appended to this file, or to a pipe if it is empty.
  std::string error_path;
};

struct Child {
  pid_t pid = -1;
  FileDescriptor exited;  // readable once the process has ended
  FileDescriptor output;  // standard output, non-blocking
  FileDescriptor error;   // standard error, non-blocking; not open if it goes to a file
};

// The child is in a process group of its own, so that a terminal's Ctrl-C reaches only us, has no
// standard input, and is killed by the kernel when the thread that called Spawn ends: call it from
// the main thread. The error names the program.
absl::StatusOr<Child> Spawn(const SpawnOptions& options);

// Waits for the process to end. REQUIRES: a child of ours, not yet reaped.
ExitStatus Reap(pid_t pid);

}  // namespace conadv

#endif  // CONADV_CLI_PROCESS_SPAWN_H_
