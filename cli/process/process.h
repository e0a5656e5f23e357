// SPDX-License-Identifier: Apache-2.0
// What a child process is started with, and how it ended. Plain values.
#ifndef CONADV_CLI_PROCESS_PROCESS_H_
#define CONADV_CLI_PROCESS_PROCESS_H_

#include <string>
#include <vector>

namespace conadv {

struct ProcessSpec {
  std::string name;                    // unique among those that run
  std::vector<std::string> arguments;  // [0] is the program's path
  std::string log_path;                // standard error is appended to it
};

struct ExitStatus {
  int code = 0;    // if signal is 0
  int signal = 0;  // that ended it

  bool ok() const { return code == 0 && signal == 0; }
  // A signal ended it, or told it to end: what it was to do is not at fault.
  bool by_signal() const;
  std::string ToString() const;  // "exit code 1", "signal 9 (Killed)"
};

}  // namespace conadv

#endif  // CONADV_CLI_PROCESS_PROCESS_H_
