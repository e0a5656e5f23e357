// SPDX-License-Identifier: Apache-2.0
// Where a command puts what was asked for: a file, or whatever else a person's path names. One
// thread.
#ifndef CONADV_CLI_PULL_OUTPUT_FILE_H_
#define CONADV_CLI_PULL_OUTPUT_FILE_H_

#include <ostream>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/os/file.h"

namespace conadv {

class OutputFile {
 public:
  // Looks at what is there, so that a path that will not do is told of before the work is done:
  // a directory, a terminal, a directory that is missing.
  static absl::StatusOr<OutputFile> At(const std::string& path);

  // A file, or nothing yet: all or nothing, as FileSystem does it. What is no file, as a pipe or a
  // device, is written to as it is, and so is what is open already (/dev/stdout, /dev/fd/3). Waits
  // up to `timeout` in all for somebody to read a pipe, and says so in `notes`.
  absl::Status Write(absl::string_view bytes, const FileSystem& files, absl::Duration timeout,
                     std::ostream& notes) const;

  const std::string& path() const { return path_; }
  // What is printed there would mix with what is written.
  bool is_standard_output() const { return is_standard_output_; }

 private:
  enum class Kind { kFile, kPipe, kOther, kOpen };

  OutputFile(std::string path, Kind kind) : path_(std::move(path)), kind_(kind) {}

  std::string path_;
  Kind kind_;
  int descriptor_ = -1;  // of kOpen; not ours to close
  bool is_standard_output_ = false;
};

}  // namespace conadv

#endif  // CONADV_CLI_PULL_OUTPUT_FILE_H_
