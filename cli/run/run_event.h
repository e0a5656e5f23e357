// SPDX-License-Identifier: Apache-2.0
// What a run machine is told of the world: plain values, each with what it needs to be decided on.
#ifndef CONADV_CLI_RUN_RUN_EVENT_H_
#define CONADV_CLI_RUN_RUN_EVENT_H_

#include <signal.h>

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "cli/process/process.h"
#include "cli/progress/progress.h"

namespace conadv {

// The first event, and no other is.
struct Begun {};

struct ProcessWroteLine {
  std::string process;
  std::string line;  // of its standard output
};

struct ProcessExited {
  std::string process;
  ExitStatus exit;
  std::string last_words;  // why, as it says in its log; may be empty
};

// A StartProcess that could not be done.
struct ProcessNotStarted {
  std::string process;
  absl::Status why;
};

struct Interrupted {
  int signal = SIGINT;
};

// The run goes on from this version: what came of later ones is void.
struct LineageBegins {
  uint64_t version = 0;
  double seconds_before = 0;  // of training, until that version
};

// A record's seconds are counted from the run's beginning.
using MetricsItem = std::variant<LineageBegins, v1::MetricsRecord>;

struct MetricsArrived {
  std::vector<MetricsItem> items;  // since the last time, in order; may be empty
  uint64_t final_version = 0;      // 0: not known yet
  bool may_have_more = false;      // without a new connection
};

// What came of WriteMetrics.
struct MetricsWritten {
  absl::Status status;
  uint64_t missing = 0;  // records that are not in the file
};

// Our own membership in the run, as it is now.
struct MembershipSeen {
  bool joined = false;
  bool finished = false;  // the run is over, and its last evaluation done
  bool closed = false;    // with `status`
  absl::Status status;
};

// The coordinator said who takes part, and what goes wrong.
struct MembersSeen {
  std::set<std::string> members;
  std::string warning;
};

// What came of FetchWeights.
struct WeightsFetched {
  absl::Status pulled;
  uint64_t version = 0;  // the next three if they were pulled
  uint32_t crc32c = 0;
  absl::Status written;
};

// What came of DropEarlierRun.
struct EarlierRunDropped {
  absl::Status status;
  bool is_aside = false;  // still
};

// What came of FindCheckpoint: the newest version that the run can go on from.
struct CheckpointFound {
  std::optional<uint64_t> version;
};

// Time has passed. Comes at deadline() at the latest, and after any other events.
struct Tick {};

using RunEvent =
    std::variant<Begun, ProcessWroteLine, ProcessExited, ProcessNotStarted, Interrupted,
                 MetricsArrived, MetricsWritten, MembershipSeen, MembersSeen, WeightsFetched,
                 EarlierRunDropped, CheckpointFound, Tick>;

}  // namespace conadv

#endif  // CONADV_CLI_RUN_RUN_EVENT_H_
