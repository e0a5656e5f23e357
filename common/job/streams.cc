// SPDX-License-Identifier: Apache-2.0
#include "common/job/streams.h"

#include <algorithm>

namespace conadv {
namespace {

// The attack's pass and the adversarial one go over the same examples: each counts half of what an
// example does. BatchNorm's own parameters learn from their branch alone, at full speed (Mei et al.
// 2022, "Fast AdvProp": re-balancing, synchronising).
GradientStreams FastAdvPropStreams(const TrainingOptions& training) {
  const float share = training.adversarial_share;
  const float adversarial = training.adversarial_weight / 2;
  return {{"clean", training.clean_weight * (1 - share), Branch::kMain, StreamKind::kClean,
           training.clean_weight},
          {"attack", adversarial * share, Branch::kAuxiliary, StreamKind::kAttack, adversarial},
          {"adversarial", adversarial * share, Branch::kAuxiliary, StreamKind::kAdversarial,
           adversarial}};
}

}  // namespace

absl::string_view StreamName(StreamKind kind) {
  switch (kind) {
    case StreamKind::kClean: return "clean";
    case StreamKind::kAugmented: return "augmented";
    case StreamKind::kAttack: return "attack";
    case StreamKind::kAdversarial: return "adversarial";
  }
  return "";
}

GradientStreams StreamsOf(const TrainingOptions& training) {
  if (training.algorithm == Algorithm::kFastAdvProp) return FastAdvPropStreams(training);
  GradientStreams streams;
  const auto add = [&streams](StreamKind kind, float weight, Branch branch) {
    if (weight > 0) streams.push_back({std::string(StreamName(kind)), weight, branch, kind});
  };
  add(StreamKind::kClean, training.clean_weight, Branch::kMain);
  // The branch that is evaluated goes to the first of the two.
  add(StreamKind::kAugmented, training.augmented_weight,
      streams.empty() ? Branch::kMain : Branch::kAugmented);
  if (training.attacks()) {
    add(StreamKind::kAdversarial, training.adversarial_weight,
        streams.empty() ? Branch::kMain : Branch::kAuxiliary);
  }
  return streams;
}

std::optional<size_t> IndexOf(const GradientStreams& streams, StreamKind kind) {
  const auto found =
      std::find_if(streams.begin(), streams.end(),
                   [kind](const GradientStream& stream) { return stream.kind == kind; });
  if (found == streams.end()) return std::nullopt;
  return static_cast<size_t>(found - streams.begin());
}

std::vector<Branch> TwinBranches(const TrainingOptions& training) {
  std::vector<Branch> branches;
  if (!training.mixture_batch_norm) return branches;
  for (const GradientStream& stream : StreamsOf(training)) {
    const bool known = std::find(branches.begin(), branches.end(), stream.branch) != branches.end();
    if (stream.branch != Branch::kMain && !known) branches.push_back(stream.branch);
  }
  return branches;
}

double PassesOf(const TrainingOptions& training, const AttackOptions& attack) {
  double passes = 0;
  bool attacks = training.attacks() && training.algorithm != Algorithm::kFree;
  for (const GradientStream& stream : StreamsOf(training)) {
    const double share = training.adversarial_share;
    if (share == 0) {
      passes += 1;
    } else {
      passes += stream.kind == StreamKind::kClean ? 1 - share : share;
    }
    if (stream.kind == StreamKind::kAttack) attacks = false;
  }
  return attacks ? passes + attack.steps : passes;
}

}  // namespace conadv
