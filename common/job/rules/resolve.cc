// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "common/job/rules/rules.h"
#include "common/job/streams.h"

namespace conadv {
namespace {

// Versions kept where every contribution is one: enough for workers that are some steps behind.
constexpr uint32_t kRetainWithoutSync = 64;
// PGD's steps reach the ball's edge 2.5 times over (arXiv 1706.06083, section 5).
constexpr float kReach = 2.5F;

Algorithm ResolveAlgorithm(const v1::Training& training) {
  switch (training.algorithm()) {
    case v1::Training::CONADV:
    case v1::Training::DISADV: break;
    case v1::Training::VANILLA: return Algorithm::kVanilla;
    case v1::Training::FAST_ADVPROP: return Algorithm::kFastAdvProp;
    case v1::Training::FREE: return Algorithm::kFree;
    case v1::Training::FGSM_RS: return Algorithm::kFgsmRs;
    case v1::Training::N_FGSM: return Algorithm::kNFgsm;
    case v1::Training::PGD: return Algorithm::kPgd;
  }
  return EffectiveTau(training) == 0 ? Algorithm::kDisAdv : Algorithm::kConAdv;
}

Consistency ResolveConsistency(v1::Training::Consistency consistency) {
  switch (consistency) {
    case v1::Training::SYNC: return Consistency::kSync;
    case v1::Training::SSP: return Consistency::kSsp;
    case v1::Training::ASYNC: return Consistency::kAsync;
  }
  return Consistency::kSync;
}

ElementType ResolveElements(v1::Precision precision) {
  return precision == v1::BF16 ? ElementType::kBfloat16 : ElementType::kFloat32;
}

Precision ResolvePrecision(v1::Precision precision) {
  return precision == v1::BF16 ? Precision::kBf16 : Precision::kFp32;
}

// As many as there are, or as the other list has.
std::vector<float> ForEachChannel(const google::protobuf::RepeatedField<float>& values,
                                  int others) {
  if (values.size() > 1) return {values.begin(), values.end()};
  return std::vector<float>(static_cast<size_t>(std::max(1, others)),
                            values.empty() ? kPixelMiddle : values[0]);
}

ModelOptions ResolveModel(const v1::Model& model) {
  ModelOptions options;
  options.builtin = model.builtin();
  options.torchscript = model.torchscript();
  options.width = model.width() != 0 ? model.width() : DefaultWidth(model.builtin());
  options.stem = model.stem() == v1::Model::CIFAR ? Stem::kCifar : Stem::kImageNet;
  return options;
}

DatasetOptions ResolveDataset(const v1::Dataset& dataset) {
  DatasetOptions options;
  switch (dataset.format()) {
    case v1::Dataset::IDX: options.format = DatasetFormat::kIdx; break;
    case v1::Dataset::CIFAR10: options.format = DatasetFormat::kCifar10; break;
    case v1::Dataset::CIFAR100: options.format = DatasetFormat::kCifar100; break;
    case v1::Dataset::FOLDER: options.format = DatasetFormat::kFolder; break;
    case v1::Dataset::TAR: options.format = DatasetFormat::kTar; break;
  }
  options.path = dataset.path();
  options.limit = dataset.limit();
  options.mean = ForEachChannel(dataset.mean(), dataset.deviation_size());
  options.deviation = ForEachChannel(dataset.deviation(), dataset.mean_size());
  options.height = dataset.height();
  options.width = dataset.width();
  options.channels = dataset.channels() != 0 ? dataset.channels() : 3;
  options.cache_bytes = dataset.cache_bytes();
  options.max_corrupt = dataset.max_corrupt();
  options.augmentation = ResolveAugmentation(dataset);
  return options;
}

TrainingOptions ResolveTraining(const v1::Training& training) {
  TrainingOptions options;
  options.algorithm = ResolveAlgorithm(training);
  options.tau = EffectiveTau(training);
  options.consistency = ResolveConsistency(training.consistency());
  if (options.consistency == Consistency::kSsp)
    options.staleness_bound = training.staleness_bound();
  options.global_batch = training.global_batch();
  options.slots = training.slots();
  options.epochs = training.epochs();
  options.steps = training.steps();
  options.clean_weight = training.clean_weight();
  options.adversarial_weight = options.attacks() ? training.adversarial_weight() : 0;
  options.augmented_weight = training.augmented_weight();
  if (options.algorithm == Algorithm::kFastAdvProp) {
    options.adversarial_share = training.adversarial_share();
  }
  if (options.algorithm == Algorithm::kFree) options.replays = training.replays();
  options.mixture_batch_norm = training.mixture_batch_norm() && StreamsOf(options).size() > 1;
  options.label_smoothing = training.label_smoothing();
  options.damping = training.damping();
  options.delay_compensation = training.delay_compensation();
  options.precision = ResolvePrecision(training.precision());
  return options;
}

AttackOptions ResolveAttack(const v1::Attack& attack) {
  AttackOptions options;
  options.epsilon = attack.epsilon();
  switch (attack.step()) {
    case v1::Attack::SIGN: options.step = AttackStep::kSign; break;
    case v1::Attack::L2: options.step = AttackStep::kL2; break;
    case v1::Attack::RAW:
      options.step = AttackStep::kRaw;
      options.epsilon = 0;
      break;
  }
  options.step_size = attack.step_size();
  options.steps = attack.steps();
  options.random_start = attack.random_start();
  options.targeted = attack.targeted();
  options.precision = ResolvePrecision(attack.precision());
  options.batch_statistics = attack.batch_norm() == v1::Attack::BATCH;
  options.start_radius = attack.start_radius() != 0 ? attack.start_radius() : options.epsilon;
  if (!attack.project()) options.epsilon = 0;
  options.cosine_every = attack.cosine_every();
  return options;
}

OptimizerOptions ResolveOptimizer(const v1::Optimizer& optimizer) {
  OptimizerOptions options;
  const v1::Optimizer::Sgd& sgd = optimizer.sgd();
  const v1::Optimizer::Lars& lars = optimizer.lars();
  const v1::Optimizer::AdamW& adamw = optimizer.adamw();
  const v1::Optimizer::Lamb& lamb = optimizer.lamb();
  switch (optimizer.rule_case()) {
    case v1::Optimizer::RULE_NOT_SET: break;
    case v1::Optimizer::kSgd:
      options.rule = SgdOptions{sgd.momentum(), sgd.nesterov(), sgd.weight_decay()};
      break;
    case v1::Optimizer::kLars:
      options.rule = LarsOptions{lars.trust(), lars.momentum(), lars.weight_decay()};
      break;
    case v1::Optimizer::kAdamw:
      options.rule =
          AdamWOptions{adamw.beta1(), adamw.beta2(), adamw.epsilon(), adamw.weight_decay()};
      break;
    case v1::Optimizer::kLamb:
      options.rule = LambOptions{lamb.beta1(), lamb.beta2(), lamb.epsilon(), lamb.weight_decay()};
      break;
  }
  options.clip_norm = optimizer.clip_norm();
  options.global_clip_norm = optimizer.global_clip_norm();
  for (const v1::Optimizer::Tensors& given : optimizer.tensors()) {
    TensorRule& rule = options.tensors.emplace_back();
    rule.pattern = given.pattern();
    if (given.has_weight_decay()) rule.weight_decay = given.weight_decay();
    if (given.has_trust_ratio()) rule.trust_ratio = given.trust_ratio();
    rule.frozen = given.frozen();
  }
  if (optimizer.has_average()) {
    options.average = {optimizer.average().decay(), optimizer.average().warmup()};
  }
  return options;
}

ScheduleOptions ResolveSchedule(const v1::Schedule& schedule) {
  ScheduleOptions options;
  options.peak = schedule.peak();
  options.warmup = schedule.warmup();
  switch (schedule.decay_case()) {
    case v1::Schedule::DECAY_NOT_SET:
    case v1::Schedule::kConstant: options.decay = ConstantDecay{}; break;
    case v1::Schedule::kPoly: options.decay = PolyDecay{schedule.poly().power()}; break;
    case v1::Schedule::kCosine: options.decay = CosineDecay{}; break;
    case v1::Schedule::kStep:
      options.decay =
          StepDecay{{schedule.step().milestones().begin(), schedule.step().milestones().end()},
                    schedule.step().factor()};
      break;
  }
  return options;
}

ServerOptions ResolveServer(const v1::Server& server, const TrainingOptions& training) {
  ServerOptions options;
  options.retain = server.retain();
  if (options.retain == 0 && !training.sync()) options.retain = kRetainWithoutSync;
  // Shards may be one version apart: what one of them still computes with, the other must still
  // have.
  if (training.sync()) options.retain = std::max(options.retain, training.versions_back() + 2);
  options.checkpoint_every = server.checkpoint_every();
  options.checkpoint_dir = server.checkpoint_dir();
  options.checkpoint_interval = absl::Seconds(server.checkpoint_seconds());
  options.checkpoint_keep = server.checkpoint_keep();
  options.lease = absl::Seconds(server.lease_seconds());
  options.unit_timeout = absl::Seconds(server.unit_timeout_seconds());
  return options;
}

EvaluationOptions ResolveEvaluation(const v1::Evaluation& evaluation) {
  EvaluationOptions options;
  options.every = evaluation.every();
  options.attack_steps = evaluation.attack_steps();
  options.epsilon = evaluation.epsilon();
  options.step_size = evaluation.step_size();
  if (options.step_size == 0 && options.attack_steps > 0) {
    options.step_size = kReach * options.epsilon / static_cast<float>(options.attack_steps);
  }
  options.limit = evaluation.limit();
  if (evaluation.suite() == v1::Evaluation::STANDARD) options.suite = EvaluationSuite::kStandard;
  if (evaluation.norm() == v1::Evaluation::L2) options.norm = EvaluationNorm::kL2;
  options.restarts = evaluation.restarts();
  if (evaluation.loss() == v1::Evaluation::MARGIN) options.loss = EvaluationLoss::kMargin;
  options.sample = evaluation.sample();
  options.corruptions = evaluation.corruptions();
  return options;
}

}  // namespace

uint32_t EffectiveTau(const v1::Training& training) {
  return training.algorithm() == v1::Training::CONADV ? training.tau() : 0;
}

Job Resolve(const v1::Job& job) {
  Job resolved;
  resolved.name = job.name();
  resolved.seed = job.seed();
  resolved.training = ResolveTraining(job.training());
  resolved.reproducible = resolved.training.sync() && job.reproducible();
  resolved.model = ResolveModel(job.model());
  resolved.dataset = ResolveDataset(job.dataset());
  resolved.attack = ResolveAttack(job.attack());
  // Elsewhere no attack is meant to be stale.
  if (resolved.training.algorithm != Algorithm::kConAdv) resolved.attack.cosine_every = 0;
  resolved.optimizer = ResolveOptimizer(job.optimizer());
  resolved.schedule = ResolveSchedule(job.schedule());
  resolved.server = ResolveServer(job.server(), resolved.training);
  resolved.evaluation = ResolveEvaluation(job.evaluation());
  resolved.wire = {ResolveElements(job.wire().weights()), ResolveElements(job.wire().gradients())};
  return resolved;
}

}  // namespace conadv
