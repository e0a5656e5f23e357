// SPDX-License-Identifier: Apache-2.0
// The logs of a run's processes, of which each has what several lives of one said. Calls block on
// the disk. One thread.
#ifndef CONADV_CLI_TRAIN_PROCESS_LOGS_H_
#define CONADV_CLI_TRAIN_PROCESS_LOGS_H_

#include <cstdint>
#include <map>
#include <string>

#include "cli/process/process.h"
#include "common/os/file.h"

namespace conadv {

class ProcessLogs {
 public:
  // `files` outlives this.
  explicit ProcessLogs(const FileSystem* files) : files_(files) {}

  // Before the process is started.
  void OnStart(const ProcessSpec& spec);
  // Why it ended, as it said since its start; empty if it did not say.
  std::string LastWords(const std::string& process) const;

 private:
  struct Log {
    std::string path;
    uint64_t begin = 0;  // of the present life's part
  };
  const FileSystem* const files_;
  std::map<std::string, Log> logs_;
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_PROCESS_LOGS_H_
