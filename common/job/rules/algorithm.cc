// SPDX-License-Identifier: Apache-2.0
// What each algorithm's paper says of the fields that a job leaves unset.
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

// Attack fields of one job. Those that are set stay.
class AttackDefaults {
 public:
  explicit AttackDefaults(v1::Attack* attack) : attack_(*attack) {}

  AttackDefaults& Steps(uint32_t steps) {
    if (!attack_.has_steps()) attack_.set_steps(steps);
    return *this;
  }
  // As multiples of epsilon.
  AttackDefaults& StepSize(float epsilons) {
    if (!attack_.has_step_size()) attack_.set_step_size(epsilons * attack_.epsilon());
    return *this;
  }
  AttackDefaults& StartRadius(float epsilons) {
    if (!attack_.has_start_radius()) attack_.set_start_radius(epsilons * attack_.epsilon());
    return *this;
  }
  AttackDefaults& RandomStart(float probability) {
    if (!attack_.has_random_start()) attack_.set_random_start(probability);
    return *this;
  }
  AttackDefaults& Project(bool project) {
    if (!attack_.has_project()) attack_.set_project(project);
    return *this;
  }
  AttackDefaults& BatchNorm(v1::Attack::BatchNorm batch_norm) {
    if (!attack_.has_batch_norm()) attack_.set_batch_norm(batch_norm);
    return *this;
  }

 private:
  v1::Attack& attack_;
};

void FillAttack(v1::Training::Algorithm algorithm, v1::Attack* attack) {
  AttackDefaults defaults(attack);
  switch (algorithm) {
    case v1::Training::CONADV:
    case v1::Training::DISADV:
    case v1::Training::VANILLA: break;
    case v1::Training::FAST_ADVPROP:
      defaults.Steps(1).StepSize(1).RandomStart(1).BatchNorm(v1::Attack::BATCH);
      break;
    case v1::Training::FREE:
      defaults.Steps(1).StepSize(1).RandomStart(0).BatchNorm(v1::Attack::BATCH);
      break;
    case v1::Training::FGSM_RS: defaults.Steps(1).StepSize(1.25F).RandomStart(1); break;
    case v1::Training::N_FGSM:
      defaults.Steps(1).StepSize(1).RandomStart(1).StartRadius(2).Project(false);
      break;
    case v1::Training::PGD: defaults.Steps(10).StepSize(0.25F).RandomStart(1); break;
  }
}

// Whether it trains on adversarial examples alone unless it is told otherwise.
bool TrainsOnAdversarialExamples(v1::Training::Algorithm algorithm) {
  return algorithm == v1::Training::FREE || algorithm == v1::Training::FGSM_RS ||
         algorithm == v1::Training::N_FGSM || algorithm == v1::Training::PGD;
}

}  // namespace

void FillAlgorithm(v1::Job* job) {
  v1::Training& training = *job->mutable_training();
  const v1::Training::Algorithm algorithm = training.algorithm();
  FillAttack(algorithm, job->mutable_attack());
  // The attack's pass is one that trains.
  if ((algorithm == v1::Training::FAST_ADVPROP || algorithm == v1::Training::FREE) &&
      !job->attack().has_precision()) {
    job->mutable_attack()->set_precision(training.precision());
  }
  if (TrainsOnAdversarialExamples(algorithm)) {
    if (!training.has_clean_weight()) training.set_clean_weight(0);
  }
  // One stream has nothing to be kept apart from.
  if (!training.has_mixture_batch_norm() && training.clean_weight() == 0 &&
      training.augmented_weight() == 0) {
    training.set_mixture_batch_norm(false);
  }
}

}  // namespace conadv
