// SPDX-License-Identifier: Apache-2.0
// The run that `train --force` replaces: set aside in its own directory until the new one has begun
// in earnest, put back if that never happens. Whenever the process dies, Recover finds either run
// whole. One thread; its owner holds the directory's RunLock. Calls block on the disk.
#ifndef CONADV_CLI_RESULTS_EARLIER_RUN_H_
#define CONADV_CLI_RESULTS_EARLIER_RUN_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/os/file.h"

namespace conadv {

class EarlierRun {
 public:
  // `entries`: the names of what a run leaves in `directory`. `files` outlives this.
  EarlierRun(const std::string& directory, std::vector<std::string> entries,
             const FileSystem* files);

  // What an earlier process left half done is undone, or done to its end.
  absl::Status Recover();
  // REQUIRES: nothing is aside.
  absl::Status SetAside();
  bool aside() const { return aside_; }
  // The new run goes, and the earlier one is where it was.
  absl::Status PutBack();
  // The earlier run goes.
  absl::Status Drop();

 private:
  std::string InDirectory(const std::string& name) const;
  // From `moving_` to the directory, and what is not there has arrived before.
  absl::Status MoveBack();

  const std::string directory_;
  const std::vector<std::string> entries_;
  const FileSystem* const files_;
  // One of these names is there at a time, and says how far things are: whole and aside; on its way
  // there or back; no longer wanted.
  const std::string whole_;
  const std::string moving_;
  const std::string unwanted_;
  bool aside_ = false;
};

}  // namespace conadv

#endif  // CONADV_CLI_RESULTS_EARLIER_RUN_H_
