// SPDX-License-Identifier: Apache-2.0
// What the units in hand may do next: which examples to load, which weights to ask for, which pass
// to run. This is where the attack's staleness is decided. Pure functions of (units, what is known,
// options).
#ifndef CONADV_WORKER_SCHEDULE_UNIT_PLAN_H_
#define CONADV_WORKER_SCHEDULE_UNIT_PLAN_H_

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "absl/types/span.h"
#include "common/base/ids.h"
#include "common/job/streams.h"
#include "common/protocol/tau_schedule.h"
#include "worker/statistics/statistics.h"

namespace conadv {

struct PlanOptions {
  uint32_t tau = 0;  // the job's
  TauChanges tau_changes;
  bool sync = true;
  uint32_t replays = 1;     // > 1: FREE, so many updates with each batch
  GradientStreams streams;  // of each unit; at least one
  size_t lanes = 1;         // SSP and ASYNC: units that are updated at once, and attacked ahead
  // Gradients that may be computed or on their way at once; besides, the first unit's and the
  // second ones of units that have begun.
  size_t push_window = 4;
  // Units whose examples may be there, or on their way, at once; besides, the first unit's.
  size_t load_window = 4;

  uint32_t tau_at(Step step) const { return TauAt(tau, tau_changes, step); }
  // Whether any stream needs adversarial examples that none of the streams' passes makes.
  bool attacks() const {
    return IndexOf(streams, StreamKind::kAdversarial).has_value() &&
           !IndexOf(streams, StreamKind::kAttack).has_value();
  }
};

// Of a pass; running includes being queued.
enum class Stage { kIdle, kRunning, kDone };

struct UnitProgress {
  Unit unit;
  bool update_asked = false;
  bool attack_asked = false;
  std::optional<Version> update_version;  // once the weights are there
  std::optional<Version> attack_version;
  Stage examples = Stage::kIdle;  // their loading
  Stage attack = Stage::kIdle;
  std::array<Stage, kMostStreams> passes{};  // by stream

  // Whether nothing is left but what is pushed.
  bool computed(const PlanOptions& options) const {
    return std::all_of(passes.begin(), passes.begin() + options.streams.size(),
                       [](Stage pass) { return pass == Stage::kDone; });
  }
  // Whether anything is left that takes the examples as they were loaded.
  bool needs_examples(const PlanOptions& options) const {
    if (options.attacks() && attack != Stage::kDone) return true;
    for (size_t stream = 0; stream < options.streams.size(); ++stream) {
      if (!options.streams[stream].attacked() && passes[stream] != Stage::kDone) return true;
    }
    return false;
  }
  // Whether the images that the stream's pass takes are there.
  bool has_images(const GradientStream& stream) const {
    return (stream.attacked() ? attack : examples) == Stage::kDone;
  }
  // Whether a pass whose gradients will be pushed has begun.
  bool updating() const {
    return std::any_of(passes.begin(), passes.end(),
                       [](Stage pass) { return pass != Stage::kIdle; });
  }
};

// The versions that pulls for updates have brought: in SSP and ASYNC, of the latest.
struct SeenVersions {
  std::optional<Version> newest;
  Version before;  // the newest before it; equal to it if there was no other
  Version first;   // of all

  void See(Version version);
};

enum class ActionKind { kLoad, kAskUpdate, kAskAttack, kAttack, kPass };

struct Action {
  size_t index = 0;  // of the unit
  ActionKind kind = ActionKind::kAskUpdate;
  std::optional<Version> version;  // kAskUpdate, kAskAttack; nothing: the latest
  StreamIndex stream{};            // kPass

  friend bool operator==(const Action& a, const Action& b) {
    return a.index == b.index && a.kind == b.kind && a.version == b.version && a.stream == b.stream;
  }
};

// `units` by rising unit. `in_flight`: gradients that are being computed or on their way. SYNC:
// unit (t, s) is attacked with version max(0, t − τ(t)) and updated with version t. Otherwise a
// unit is updated with the latest version once its turn comes; while it waits, it is attacked with
// the version τ before the one that its update is expected to use. FREE: the versions since the
// batch's first update, up to the one before the unit's own, once that is there. Examples are
// loaded in the units' order, as far ahead as the window goes, so that they are there before the
// weights.
std::vector<Action> NextActions(absl::Span<const UnitProgress* const> units,
                                const SeenVersions& seen, size_t in_flight,
                                const PlanOptions& options);

// Notes that an action is under way.
void Begin(const Action& action, UnitProgress* unit);

// SSP and ASYNC: the version to attack a unit with whose update will use the version after
// `newest`: τ before that one if versions go on coming as fast, and one that is there already.
// REQUIRES: seen.newest has a value.
Version AttackAhead(const SeenVersions& seen, uint32_t tau);

// What the oldest unit that does not run is waiting for.
WaitCause CauseOf(absl::Span<const UnitProgress* const> units, const PlanOptions& options);

}  // namespace conadv

#endif  // CONADV_WORKER_SCHEDULE_UNIT_PLAN_H_
