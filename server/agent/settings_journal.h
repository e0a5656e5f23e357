// SPDX-License-Identifier: Apache-2.0
// What was set while a run went on, beside shard 0's checkpoints: written before it takes effect,
// so that a run that goes back computes the same again. Thread-safe; blocks.
#ifndef CONADV_SERVER_AGENT_SETTINGS_JOURNAL_H_
#define CONADV_SERVER_AGENT_SETTINGS_JOURNAL_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/os/file.h"
#include "server/coordinate/machine.h"

namespace conadv {

class SettingsJournal {
 public:
  // settings.json in `directory`; without a directory there is no journal. `files` outlives it.
  SettingsJournal(std::string directory, const FileSystem* files);

  // Nothing was set if there is no journal. DATA_LOSS: it is not one.
  absl::StatusOr<SettingsRecord> Read() const;
  // Durable when it returns. FAILED_PRECONDITION: there is no directory.
  absl::Status Write(const SettingsRecord& record) const;

 private:
  const std::string directory_;
  const std::string path_;
  const FileSystem* const files_;
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGENT_SETTINGS_JOURNAL_H_
