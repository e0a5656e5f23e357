// SPDX-License-Identifier: Apache-2.0
#include "worker/schedule/unit_plan.h"

#include <algorithm>

namespace conadv {
namespace {

void Load(absl::Span<const UnitProgress* const> units, const PlanOptions& options,
          std::vector<Action>* actions) {
  size_t free = options.load_window;
  for (const UnitProgress* unit : units) {
    if (unit->examples != Stage::kIdle && unit->needs_examples(options) && free > 0) --free;
  }
  for (size_t i = 0; i < units.size(); ++i) {
    // Later units may keep theirs until the first one's gradients have come.
    if (units[i]->examples != Stage::kIdle || !(free > 0 || i == 0)) continue;
    if (free > 0) --free;
    actions->push_back({i, ActionKind::kLoad, std::nullopt});
  }
}

// Questions for weights: SYNC.
void AskForSteps(absl::Span<const UnitProgress* const> units, const PlanOptions& options,
                 std::vector<Action>* actions) {
  for (size_t i = 0; i < units.size(); ++i) {
    const UnitProgress& unit = *units[i];
    const Version version(unit.unit.step.value());
    if (!unit.update_asked) actions->push_back({i, ActionKind::kAskUpdate, version});
    if (!options.attacks() || unit.attack_asked) continue;
    if (options.replays == 1) {
      actions->push_back(
          {i, ActionKind::kAskAttack, version.MinusOrZero(options.tau_at(unit.unit.step))});
    } else if (unit.update_version.has_value()) {
      const Version first(version.value() / options.replays * options.replays);
      actions->push_back({i, ActionKind::kAskAttack, first});
    }
  }
}

// Questions for weights: SSP and ASYNC.
void AskInOrder(absl::Span<const UnitProgress* const> units, const SeenVersions& seen,
                const PlanOptions& options, std::vector<Action>* actions) {
  size_t updates = options.lanes;  // of units at once
  for (const UnitProgress* unit : units) {
    if (unit->update_asked && !unit->computed(options) && updates > 0) --updates;
  }
  size_t ahead = options.lanes;  // of units that are attacked before
  for (size_t i = 0; i < units.size(); ++i) {
    const UnitProgress& unit = *units[i];
    const bool attack = options.attacks() && !unit.attack_asked;
    const uint32_t tau = options.tau_at(unit.unit.step);
    if (unit.update_asked) {
      if (attack && unit.update_version.has_value()) {
        actions->push_back({i, ActionKind::kAskAttack, unit.update_version->MinusOrZero(tau)});
      }
    } else if (updates > 0) {
      --updates;
      actions->push_back({i, ActionKind::kAskUpdate, std::nullopt});
    } else if (ahead > 0 && tau > 0) {
      --ahead;
      if (attack && seen.newest.has_value()) {
        actions->push_back({i, ActionKind::kAskAttack, AttackAhead(seen, tau)});
      }
    }
  }
}

void Run(absl::Span<const UnitProgress* const> units, size_t in_flight, const PlanOptions& options,
         std::vector<Action>* actions) {
  size_t free = options.push_window - std::min(in_flight, options.push_window);
  for (size_t i = 0; i < units.size(); ++i) {
    const UnitProgress& unit = *units[i];
    if (options.attacks() && unit.examples == Stage::kDone && unit.attack_version.has_value() &&
        unit.attack == Stage::kIdle) {
      actions->push_back({i, ActionKind::kAttack, std::nullopt});
    }
    if (!unit.update_version.has_value()) continue;
    // Servers may refuse all that is on its way until the first unit has come, or until one of
    // which they have a stream is complete.
    const bool always = i == 0 || unit.updating();
    for (size_t stream = 0; stream < options.streams.size(); ++stream) {
      const bool ready = unit.has_images(options.streams[stream]);
      if (!ready || unit.passes[stream] != Stage::kIdle || !(free > 0 || always)) continue;
      if (free > 0) --free;
      actions->push_back({i, ActionKind::kPass, std::nullopt, StreamIndex(stream)});
    }
  }
}

}  // namespace

void SeenVersions::See(Version version) {
  if (newest.has_value() && version <= *newest) return;
  before = newest.value_or(version);
  if (!newest.has_value()) first = version;
  newest = version;
}

Version AttackAhead(const SeenVersions& seen, uint32_t tau) {
  const Version newest = *seen.newest;
  const Version expected = newest + newest.Since(seen.before);
  return std::min(expected.MinusOrZero(tau), newest);
}

std::vector<Action> NextActions(absl::Span<const UnitProgress* const> units,
                                const SeenVersions& seen, size_t in_flight,
                                const PlanOptions& options) {
  std::vector<Action> actions;
  Load(units, options, &actions);
  if (options.sync) {
    AskForSteps(units, options, &actions);
  } else {
    AskInOrder(units, seen, options, &actions);
  }
  Run(units, in_flight, options, &actions);
  return actions;
}

void Begin(const Action& action, UnitProgress* unit) {
  switch (action.kind) {
    case ActionKind::kLoad: unit->examples = Stage::kRunning; break;
    case ActionKind::kAskUpdate: unit->update_asked = true; break;
    case ActionKind::kAskAttack: unit->attack_asked = true; break;
    case ActionKind::kAttack: unit->attack = Stage::kRunning; break;
    case ActionKind::kPass: unit->passes[action.stream.value()] = Stage::kRunning; break;
  }
}

WaitCause CauseOf(absl::Span<const UnitProgress* const> units, const PlanOptions& options) {
  for (const UnitProgress* unit : units) {
    if (unit->computed(options)) return WaitCause::kPush;
    if (std::count(unit->passes.begin(), unit->passes.end(), Stage::kRunning) > 0) continue;
    if (!unit->update_version.has_value()) return WaitCause::kWeights;
    // Of a pass that could run the window is full.
    for (size_t stream = 0; stream < options.streams.size(); ++stream) {
      const bool ready = unit->has_images(options.streams[stream]);
      if (ready && unit->passes[stream] == Stage::kIdle) return WaitCause::kPush;
    }
    return unit->examples == Stage::kDone ? WaitCause::kAttack : WaitCause::kData;
  }
  return WaitCause::kLease;
}

}  // namespace conadv
