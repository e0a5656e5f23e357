// SPDX-License-Identifier: Apache-2.0
// Follows the goodput of whichever Server the process runs, and writes it down beside the
// checkpoints, so that a process that follows this one goes on counting. A thread of its own looks
// now and then, and is the only one that waits for the disk. Thread-safe.
#ifndef CONADV_SERVER_OBSERVE_GOODPUT_KEEPER_H_
#define CONADV_SERVER_OBSERVE_GOODPUT_KEEPER_H_

#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/ids.h"
#include "common/os/file.h"
#include "common/thread/mutex.h"
#include "server/metrics/goodput.h"
#include "server/observe/server_window.h"

namespace conadv {

class GoodputKeeper {
 public:
  // Looks every `interval`; 0: there is no thread, and whoever has it calls Look(). Has the window
  // tell it of each Server's last state. All outlive it.
  GoodputKeeper(ServerWindow* window, const FileSystem* files, const Clock* clock,
                absl::Duration interval);
  ~GoodputKeeper();

  // What there is to see of a server now; without the disk.
  void See(const ServerParts& parts);
  // The same of the window's, and writes down what is new.
  void Look();

  struct Shown {
    Goodput::Sums sums;
    std::string process;  // that began to count
  };
  // Where there are checkpoints: what is written down, so that no process after this one says less.
  // Nothing before that.
  std::optional<Shown> shown() const;

 private:
  struct Place {
    std::string directory;
    uint32_t shard = 0;
    uint32_t shards = 1;
    Lineage run;
  };

  void Loop();
  // Goes on from what an earlier process of the run at `place` wrote down.
  void GoOn(const Place& place);
  void WriteDown(const Place& place);

  ServerWindow* const window_;
  const FileSystem* const files_;
  const Clock* const clock_;
  const absl::Duration interval_;
  const absl::Time started_;
  mutable Mutex mutex_;
  CondVar stop_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  std::string process_ ABSL_GUARDED_BY(mutex_);
  Goodput goodput_ ABSL_GUARDED_BY(mutex_);
  std::optional<Place> place_ ABSL_GUARDED_BY(mutex_);  // of the server that was seen last
  Lineage run_ ABSL_GUARDED_BY(mutex_);                 // that goodput_ is of; 0: none yet
  std::optional<Goodput::Sums> shown_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;  // last
};

}  // namespace conadv

#endif  // CONADV_SERVER_OBSERVE_GOODPUT_KEEPER_H_
