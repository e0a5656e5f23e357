// SPDX-License-Identifier: Apache-2.0
// Cuts what a pipe delivers into lines. One thread at a time.
#ifndef CONADV_CLI_PROCESS_LINES_H_
#define CONADV_CLI_PROCESS_LINES_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace conadv {

class LineSplitter {
 public:
  // The lines that `bytes` completes, without their ends. A line past 64 KiB is cut: nobody may
  // fill our memory.
  std::vector<std::string> Add(absl::string_view bytes);
  // What came after the last line's end.
  std::string TakeRest();

 private:
  std::string rest_;
};

enum class PipeState { kOpen, kClosed };

// Everything that the non-blocking descriptor has now, appended to `bytes`.
PipeState ReadAvailable(int fd, std::string* bytes);

}  // namespace conadv

#endif  // CONADV_CLI_PROCESS_LINES_H_
