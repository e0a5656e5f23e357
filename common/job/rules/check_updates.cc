// SPDX-License-Identifier: Apache-2.0
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

void CheckMomentum(absl::string_view path, float momentum, float decay, Violations* violations) {
  violations->RequireReal(momentum >= 0 && momentum < 1, absl::StrCat(path, ".momentum"),
                          "must be 0 to < 1", momentum);
  violations->RequireReal(decay >= 0, absl::StrCat(path, ".weight_decay"), "must be ≥ 0", decay);
}

// AdamW and LAMB have the same fields.
template <class Adam>
void CheckAdam(absl::string_view path, const Adam& adam, Violations* violations) {
  violations->RequireReal(adam.beta1() >= 0 && adam.beta1() < 1, absl::StrCat(path, ".beta1"),
                          "must be 0 to < 1", adam.beta1());
  violations->RequireReal(adam.beta2() >= 0 && adam.beta2() < 1, absl::StrCat(path, ".beta2"),
                          "must be 0 to < 1", adam.beta2());
  violations->RequireReal(adam.epsilon() > 0, absl::StrCat(path, ".epsilon"), "must be > 0",
                          adam.epsilon());
  violations->RequireReal(adam.weight_decay() >= 0, absl::StrCat(path, ".weight_decay"),
                          "must be ≥ 0", adam.weight_decay());
}

// What of it can be told without the model; CheckTensorRules knows the rest.
void CheckTensors(const v1::Optimizer& optimizer, Violations* violations) {
  constexpr int kMostPatterns = 64;
  constexpr size_t kLongestPattern = 256;
  violations->Require(optimizer.tensors_size() <= kMostPatterns, "optimizer.tensors",
                      "must be at most 64 patterns", optimizer.tensors_size());
  const bool has_ratios = optimizer.has_lars() || optimizer.has_lamb();
  for (int i = 0; i < optimizer.tensors_size(); ++i) {
    const v1::Optimizer::Tensors& tensors = optimizer.tensors(i);
    const std::string path = absl::StrCat("optimizer.tensors[", i, "]");
    violations->Require(!tensors.pattern().empty() && tensors.pattern().size() <= kLongestPattern,
                        absl::StrCat(path, ".pattern"), "must be 1 to 256 bytes long",
                        tensors.pattern().size());
    violations->RequireReal(tensors.weight_decay() >= 0, absl::StrCat(path, ".weight_decay"),
                            "must be ≥ 0", tensors.weight_decay());
    violations->Require(!tensors.has_trust_ratio() || has_ratios,
                        absl::StrCat(path, ".trust_ratio"),
                        "needs optimizer.lars or optimizer.lamb");
    violations->Require(
        !tensors.frozen() || (!tensors.has_weight_decay() && !tensors.has_trust_ratio()),
        absl::StrCat(path, ".frozen"), "goes with neither weight_decay nor trust_ratio");
  }
}

void CheckOptimizer(const v1::Optimizer& optimizer, Violations* violations) {
  switch (optimizer.rule_case()) {
    case v1::Optimizer::kSgd:
      CheckMomentum("optimizer.sgd", optimizer.sgd().momentum(), optimizer.sgd().weight_decay(),
                    violations);
      violations->Require(!optimizer.sgd().nesterov() || optimizer.sgd().momentum() != 0,
                          "optimizer.sgd.nesterov", "needs optimizer.sgd.momentum > 0");
      break;
    case v1::Optimizer::kLars:
      violations->RequireReal(optimizer.lars().trust() > 0, "optimizer.lars.trust", "must be > 0",
                              optimizer.lars().trust());
      CheckMomentum("optimizer.lars", optimizer.lars().momentum(), optimizer.lars().weight_decay(),
                    violations);
      break;
    case v1::Optimizer::kAdamw: CheckAdam("optimizer.adamw", optimizer.adamw(), violations); break;
    case v1::Optimizer::kLamb: CheckAdam("optimizer.lamb", optimizer.lamb(), violations); break;
    case v1::Optimizer::RULE_NOT_SET:
      violations->Require(false, "optimizer", "must have a rule: sgd, lars, adamw or lamb");
      break;
  }
  violations->RequireReal(optimizer.clip_norm() >= 0, "optimizer.clip_norm", "must be ≥ 0",
                          optimizer.clip_norm());
  violations->RequireReal(optimizer.global_clip_norm() >= 0, "optimizer.global_clip_norm",
                          "must be ≥ 0", optimizer.global_clip_norm());
  violations->Require(optimizer.global_clip_norm() == 0 || optimizer.clip_norm() == 0,
                      "optimizer.global_clip_norm", "must be 0 with optimizer.clip_norm",
                      optimizer.global_clip_norm());
  CheckTensors(optimizer, violations);
  const float decay = optimizer.average().decay();
  violations->RequireReal(decay >= 0 && decay < 1, "optimizer.average.decay", "must be 0 to < 1",
                          decay);
}

void CheckMilestones(const v1::Schedule::Steps& steps, Violations* violations) {
  for (int i = 0; i < steps.milestones_size(); ++i) {
    const std::string path = absl::StrCat("schedule.step.milestones[", i, "]");
    const double milestone = steps.milestones(i);
    violations->RequireReal(milestone > 0 && milestone < 1, path, "must be > 0 and < 1", milestone);
    if (i > 0) {
      violations->Require(!(milestone <= steps.milestones(i - 1)), path,
                          absl::StrCat("must be > the one before, ", steps.milestones(i - 1)),
                          milestone);
    }
  }
  violations->RequireReal(steps.factor() > 0, "schedule.step.factor", "must be > 0",
                          steps.factor());
}

void CheckSchedule(const v1::Schedule& schedule, Violations* violations) {
  violations->RequireReal(schedule.peak() > 0, "schedule.peak", "must be > 0", schedule.peak());
  violations->RequireReal(schedule.warmup() >= 0 && schedule.warmup() <= 1, "schedule.warmup",
                          "must be 0 to 1", schedule.warmup());
  if (schedule.has_poly()) {
    violations->RequireReal(schedule.poly().power() > 0, "schedule.poly.power", "must be > 0",
                            schedule.poly().power());
  }
  if (schedule.has_step()) CheckMilestones(schedule.step(), violations);
}

void CheckServer(const v1::Job& job, Violations* violations) {
  const v1::Server& server = job.server();
  // A tau that is itself out of range has its own line.
  const uint64_t needed = uint64_t{EffectiveTau(job.training())} + 1;
  violations->Require(server.retain() == 0 || server.retain() >= needed, "server.retain",
                      absl::StrCat("must be 0 or ≥ training.tau + 1 = ", needed), server.retain());
  violations->Require(server.retain() <= 65536, "server.retain", "must be ≤ 65536",
                      server.retain());
  violations->RequireReal(server.lease_seconds() >= 0.1 && server.lease_seconds() <= 3600,
                          "server.lease_seconds", "must be 0.1 to 3600", server.lease_seconds());
  violations->RequireReal(
      server.checkpoint_seconds() >= 0.1 && server.checkpoint_seconds() <= 86400,
      "server.checkpoint_seconds", "must be 0.1 to 86400", server.checkpoint_seconds());
  violations->Require(server.checkpoint_keep() >= 2 && server.checkpoint_keep() <= 1'000'000,
                      "server.checkpoint_keep", "must be 2 to 1000000", server.checkpoint_keep());
  violations->RequireReal(
      server.unit_timeout_seconds() >= 1 && server.unit_timeout_seconds() <= 86400,
      "server.unit_timeout_seconds", "must be 1 to 86400", server.unit_timeout_seconds());
}

void CheckEvaluation(const v1::Evaluation& evaluation, Violations* violations) {
  constexpr uint32_t kMaxAttackSteps = 1000;
  constexpr uint32_t kMaxRestarts = 100;
  // The diagonal of the largest images is shorter.
  constexpr float kMaxL2Radius = 10000;
  const bool l2 = evaluation.norm() == v1::Evaluation::L2;
  const bool standard = evaluation.suite() == v1::Evaluation::STANDARD;
  violations->Require(evaluation.attack_steps() <= kMaxAttackSteps, "evaluation.attack_steps",
                      "must be ≤ 1000", evaluation.attack_steps());
  violations->Require(!standard || evaluation.attack_steps() > 0, "evaluation.attack_steps",
                      "must be > 0 with evaluation.suite STANDARD, which PGD is a part of");
  violations->RequireReal(
      evaluation.epsilon() >= 0 && evaluation.epsilon() <= (l2 ? kMaxL2Radius : 1),
      "evaluation.epsilon",
      l2 ? "must be 0 to 10000, in L2 (128/255 is 0.50196)"
         : "must be 0 to 1 (8/255 is 0.031372549)",
      evaluation.epsilon());
  violations->Require(!l2 || evaluation.has_epsilon(), "evaluation.epsilon",
                      "must be given with evaluation.norm L2: the default is an L-infinity radius");
  violations->Require(evaluation.attack_steps() == 0 || evaluation.epsilon() != 0,
                      "evaluation.epsilon",
                      "must be > 0 unless evaluation.attack_steps is 0, which measures no robust "
                      "accuracy");
  violations->RequireReal(evaluation.step_size() >= 0, "evaluation.step_size", "must be ≥ 0",
                          evaluation.step_size());
  violations->Require(evaluation.restarts() >= 1 && evaluation.restarts() <= kMaxRestarts,
                      "evaluation.restarts", "must be 1 to 100", evaluation.restarts());
  violations->Require(evaluation.restarts() == 1 || evaluation.attack_steps() > 0,
                      "evaluation.restarts", "needs evaluation.attack_steps > 0");
  violations->Require(
      evaluation.loss() == v1::Evaluation::CROSS_ENTROPY || evaluation.attack_steps() > 0,
      "evaluation.loss", "needs evaluation.attack_steps > 0");
  violations->Require(!evaluation.sample() || evaluation.limit() > 0, "evaluation.sample",
                      "needs evaluation.limit, the number of examples to draw");
}

}  // namespace

void CheckUpdates(const v1::Job& job, Violations* violations) {
  CheckOptimizer(job.optimizer(), violations);
  CheckSchedule(job.schedule(), violations);
  CheckServer(job, violations);
  CheckEvaluation(job.evaluation(), violations);
}

}  // namespace conadv
