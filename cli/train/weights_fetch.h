// SPDX-License-Identifier: Apache-2.0
// Pulls a run's newest weights and writes them, in a thread of its own: the run goes on needing
// heartbeats meanwhile. One thread calls it.
#ifndef CONADV_CLI_TRAIN_WEIGHTS_FETCH_H_
#define CONADV_CLI_TRAIN_WEIGHTS_FETCH_H_

#include <functional>
#include <future>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "cli/run/run_event.h"
#include "common/os/file.h"

namespace conadv {

class WeightsFetch {
 public:
  // `path` is the file's; `averaged`: their average instead; `files` outlives this. `wake` comes on
  // the fetch's thread when there is something to take.
  WeightsFetch(std::string path, bool averaged, const FileSystem* files,
               std::function<void()> wake);

  // REQUIRES: none is under way.
  void Begin(const std::string& coordinator, absl::Duration timeout);
  // What came of it, once.
  std::optional<WeightsFetched> Take();

 private:
  WeightsFetched Fetch(const std::string& coordinator, absl::Duration timeout) const;

  const std::string path_;
  const bool averaged_;
  const FileSystem* const files_;
  const std::function<void()> wake_;
  std::future<WeightsFetched> fetched_;  // last: it waits for the thread
};

}  // namespace conadv

#endif  // CONADV_CLI_TRAIN_WEIGHTS_FETCH_H_
