// SPDX-License-Identifier: Apache-2.0
// An event file, which TensorBoard reads while it grows: whole records only. While the disk takes
// nothing they wait in memory, up to a limit. One thread; calls block on the disk.
#ifndef CONADV_CLI_BOARD_EVENT_FILE_H_
#define CONADV_CLI_BOARD_EVENT_FILE_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/os/file.h"
#include "conadv/tensorboard/event.pb.h"

namespace conadv {

// events.out.tfevents.SECONDS.HOST: TensorBoard reads a directory's files in the order of their
// names, so it comes after all of `names` even if the wall clock has gone back. Pure.
std::string NextEventFileName(const std::vector<std::string>& names, absl::Time wall_now,
                              absl::string_view host);

class EventFile {
 public:
  // A new file in `directory`, which Flush makes if need be. `files` outlives this.
  EventFile(std::string directory, std::string host, const FileSystem* files);

  void Append(const tensorboard::Event& event);
  // Writes what waits. After an error it waits on: try again.
  absl::Status Flush(absl::Time wall_now);
  // Empty until there is a file.
  const std::string& path() const { return path_; }
  const std::string& directory() const { return directory_; }
  // Events that will never be in the file, since too many waited.
  uint64_t lost() const { return lost_; }

 private:
  absl::Status Create(absl::Time wall_now);

  const std::string directory_;
  const std::string host_;
  const FileSystem* const files_;
  std::string path_;
  uint64_t written_bytes_ = 0;  // whole records; what is after them goes
  std::string waiting_;
  uint64_t lost_ = 0;
};

}  // namespace conadv

#endif  // CONADV_CLI_BOARD_EVENT_FILE_H_
