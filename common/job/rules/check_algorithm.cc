// SPDX-License-Identifier: Apache-2.0
// The rules of what is trained on: the algorithm's streams and its attack.
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

constexpr uint32_t kMaxTau = 63;

void CheckWeights(const v1::Training& training, Violations* violations) {
  const float clean = training.clean_weight();
  const float augmented = training.augmented_weight();
  const float adversarial = training.adversarial_weight();
  violations->RequireReal(clean >= 0, "training.clean_weight", "must be ≥ 0", clean);
  violations->RequireReal(augmented >= 0, "training.augmented_weight", "must be ≥ 0", augmented);
  violations->RequireReal(adversarial >= 0, "training.adversarial_weight", "must be ≥ 0",
                          adversarial);
  if (training.algorithm() == v1::Training::VANILLA) {
    violations->Require(
        clean != 0 || augmented != 0, "training.clean_weight",
        "must be > 0 with VANILLA, which has no other gradient, unless training.augmented_weight "
        "is",
        clean);
    return;
  }
  violations->Require(adversarial != 0, "training.adversarial_weight",
                      "must be > 0; training.algorithm VANILLA has no adversarial gradient",
                      adversarial);
  violations->Require(
      !training.mixture_batch_norm() || clean != 0 || augmented != 0, "training.mixture_batch_norm",
      "must be false where training.clean_weight and training.augmented_weight are 0: the "
      "BatchNorm that is evaluated would never be trained");
}

// The augmented pass has to see something that the clean one does not.
void CheckAugmentedPass(const v1::Job& job, Violations* violations) {
  bool own = false, every = false;
  for (const v1::Augmentation& step : job.dataset().augmentation()) {
    (step.every_pass() ? every : own) = true;
  }
  const bool augmented = job.training().augmented_weight() > 0;
  violations->Require(!augmented || own, "training.augmented_weight",
                      "needs a step of dataset.augmentation that is not for every_pass",
                      job.training().augmented_weight());
  violations->Require(augmented || !every, "dataset.augmentation",
                      "every_pass needs training.augmented_weight > 0; without it every pass sees "
                      "all steps");
}

void CheckFastAdvProp(const v1::Job& job, Violations* violations) {
  const v1::Training& training = job.training();
  violations->Require(training.clean_weight() > 0, "training.clean_weight",
                      "must be > 0 with FAST_ADVPROP", training.clean_weight());
  violations->Require(training.slots() == 0 || training.global_batch() / training.slots() >= 4,
                      "training.global_batch",
                      "must be ≥ 4 examples for each slot with FAST_ADVPROP: 2 clean ones and 2 "
                      "that are attacked",
                      training.global_batch());
}

void CheckFree(const v1::Training& training, Violations* violations) {
  constexpr uint32_t kMaxReplays = 64;
  violations->Require(training.replays() >= 2 && training.replays() <= kMaxReplays,
                      "training.replays", "must be 2 to 64", training.replays());
  violations->Require(training.clean_weight() == 0, "training.clean_weight",
                      "must be 0 or unset with FREE", training.clean_weight());
  violations->Require(training.consistency() == v1::Training::SYNC, "training.consistency",
                      "must be SYNC with FREE: its updates are one after the other",
                      Name(training.consistency()));
}

// Where the attack's pass is one that trains.
void CheckTrainingAttack(const v1::Job& job, Violations* violations) {
  const std::string algorithm = v1::Training::Algorithm_Name(job.training().algorithm());
  violations->Require(job.training().augmented_weight() == 0, "training.augmented_weight",
                      absl::StrCat("must be 0 with ", algorithm));
  violations->Require(job.attack().steps() == 1, "attack.steps",
                      absl::StrCat("must be 1 with ", algorithm), job.attack().steps());
  violations->Require(
      !job.attack().targeted(), "attack.targeted",
      absl::StrCat("must be false with ", algorithm, ": the weights learn from the attack's loss"));
  violations->Require(job.attack().batch_norm() == v1::Attack::BATCH, "attack.batch_norm",
                      absl::StrCat("must be BATCH or unset with ", algorithm));
  violations->Require(job.attack().precision() == job.training().precision(), "attack.precision",
                      absl::StrCat("must be training.precision with ", algorithm));
}

void CheckAlgorithm(const v1::Job& job, Violations* violations) {
  const v1::Training& training = job.training();
  const v1::Training::Algorithm algorithm = training.algorithm();
  if (algorithm == v1::Training::CONADV) {
    violations->Require(training.tau() <= kMaxTau, "training.tau", "must be ≤ 63", training.tau());
  } else if (algorithm == v1::Training::DISADV) {
    violations->Require(!training.has_tau() || training.tau() == 0, "training.tau",
                        "must be 0 or unset with DISADV; CONADV attacks with older weights",
                        training.tau());
  }
  CheckWeights(training, violations);
  CheckAugmentedPass(job, violations);
  const bool fast = algorithm == v1::Training::FAST_ADVPROP;
  const bool free = algorithm == v1::Training::FREE;
  if (fast) CheckFastAdvProp(job, violations);
  if (free) CheckFree(training, violations);
  if (fast || free) CheckTrainingAttack(job, violations);
  const float share = training.adversarial_share();
  violations->RequireReal(share > 0 && share < 1, "training.adversarial_share",
                          "must be > 0 and < 1", share);
  violations->Require(fast || !training.has_adversarial_share(), "training.adversarial_share",
                      "needs training.algorithm FAST_ADVPROP", share);
  violations->Require(free || !training.has_replays(), "training.replays",
                      "needs training.algorithm FREE", training.replays());
}

void CheckAttack(const v1::Attack& attack, Violations* violations) {
  constexpr uint32_t kMaxSteps = 100;
  violations->RequireReal(attack.step_size() > 0, "attack.step_size", "must be > 0",
                          attack.step_size());
  violations->RequireReal(attack.epsilon() >= 0, "attack.epsilon", "must be ≥ 0", attack.epsilon());
  violations->Require(attack.steps() >= 1 && attack.steps() <= kMaxSteps, "attack.steps",
                      "must be 1 to 100", attack.steps());
  const float start = attack.random_start();
  violations->RequireReal(start >= 0 && start <= 1, "attack.random_start", "must be 0 to 1", start);
  const float radius = attack.start_radius();
  violations->RequireReal(radius >= 0, "attack.start_radius", "must be ≥ 0", radius);
  violations->Require(radius == 0 || start > 0, "attack.start_radius",
                      "needs attack.random_start > 0", radius);
  if (start > 0) {
    violations->Require(attack.epsilon() != 0 || radius != 0, "attack.random_start",
                        "needs attack.epsilon > 0: it is drawn from that ball", start);
    violations->Require(attack.step() != v1::Attack::RAW, "attack.random_start",
                        "must be 0 with attack.step RAW, which has no ball", start);
  }
}

}  // namespace

void CheckStreams(const v1::Job& job, Violations* violations) {
  CheckAlgorithm(job, violations);
  CheckAttack(job.attack(), violations);
}

}  // namespace conadv
