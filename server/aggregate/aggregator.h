// SPDX-License-Identifier: Apache-2.0
// Collects contributions, keyed by (step, slot, stream), each once, and adds them up. In SYNC mode
// a group is a step with all its slots; in SSP and ASYNC it is one unit. Additions run on the
// callers' threads, outside the lock, in parallel. Thread-safe.
#ifndef CONADV_SERVER_AGGREGATE_AGGREGATOR_H_
#define CONADV_SERVER_AGGREGATE_AGGREGATOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/ids.h"
#include "common/base/unit_ledger.h"
#include "common/job/streams.h"
#include "common/protocol/contribution.h"
#include "common/tensor/arena.h"
#include "common/tensor/layout.h"
#include "common/thread/mutex.h"
#include "server/aggregate/slot_tree.h"

namespace conadv {

// Everything of one update.
struct ClosedGroup {
  Unit unit;                                 // its slot is 0 in SYNC
  std::vector<std::shared_ptr<Arena>> sums;  // by stream, over its range
  std::vector<Contribution> contributions;   // by (slot, stream)
};

struct AggregatorOptions {
  bool sync = true;
  uint32_t slots = 1;
  uint64_t steps = 1;
  GradientStreams streams;  // at least one
};

// Whether a contribution may come now, from what it says of itself. INVALID_ARGUMENT: no such slot,
// step, stream or versions. FAILED_PRECONDITION: its step has not begun (SYNC), or its weights are
// newer than any there are.
absl::Status CheckContribution(const Contribution& contribution, const AggregatorOptions& options,
                               Version latest);

// INVALID_ARGUMENT: its loss or its accuracy is no number.
absl::Status CheckMeasures(const Contribution& contribution);

class Aggregator {
 public:
  // `closed`: what has been applied already; of steps alone (slots 1) in SYNC.
  Aggregator(const AggregatorOptions& options, UnitLedger closed);

  // Without changing anything: whether Claim would say kDuplicate. REQUIRES, here and below: the
  // run has the stream.
  bool IsDuplicate(const Unit& unit, StreamIndex stream) const;
  // How many slots before it its step's tree may still lack; 0: it is the first that it lacks.
  uint32_t Ahead(const Unit& unit, StreamIndex stream) const;
  // Takes the key; whoever gets kAccepted must call Reduce. REQUIRES: CheckContribution was OK.
  PushOutcome Claim(const Contribution& contribution);
  // Adds the claimed contribution's value. Returns the group if it is now complete.
  std::optional<ClosedGroup> Reduce(const Contribution& contribution, std::shared_ptr<Arena> value);

  uint64_t open_groups() const;

 private:
  struct Group {
    Group(size_t streams, uint32_t leaves) : trees(streams, SlotTree(leaves)), sums(streams) {}
    std::vector<SlotTree> trees;               // by stream
    std::vector<std::shared_ptr<Arena>> sums;  // by stream, once its tree is full
    std::vector<Contribution> contributions;
  };

  Unit KeyOf(const Unit& unit) const;       // of its group
  uint32_t LeafOf(const Unit& unit) const;  // in its group's trees
  bool IsClosed(const Unit& unit) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<ClosedGroup> TryClose(const Unit& key) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const AggregatorOptions options_;
  mutable Mutex mutex_;
  std::map<Unit, Group> groups_ ABSL_GUARDED_BY(mutex_);
  UnitLedger closed_ ABSL_GUARDED_BY(mutex_);  // in SYNC with one slot a step: the groups' keys
};

}  // namespace conadv

#endif  // CONADV_SERVER_AGGREGATE_AGGREGATOR_H_
