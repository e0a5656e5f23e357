// SPDX-License-Identifier: Apache-2.0
// The job, as every part of the system reads it: the validated form of proto/conadv/v1/job.proto,
// with every default filled in. The proto file says what each field means. Plain values; no
// protobuf beyond common/job/parse.
#ifndef CONADV_COMMON_JOB_JOB_H_
#define CONADV_COMMON_JOB_JOB_H_

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "common/job/augmentation.h"
#include "common/tensor/bfloat16.h"

namespace conadv {

// How a network of the ResNet family begins.
enum class Stem { kImageNet, kCifar };

struct ModelOptions {
  std::string builtin;      // or
  std::string torchscript;  // a file's path
  uint32_t width = 0;       // of a built-in one; resolved: never 0
  Stem stem = Stem::kImageNet;
};

// Whether there is such a built-in model, and all of them, for people.
bool IsBuiltinModel(absl::string_view name);
std::string BuiltinModelNames();
// Its width if a job says none; 0: there is no such model.
uint32_t DefaultWidth(absl::string_view builtin);

enum class DatasetFormat { kIdx, kCifar10, kCifar100, kFolder, kTar };

struct DatasetOptions {
  DatasetFormat format = DatasetFormat::kIdx;
  std::string path;
  uint64_t limit = 0;  // 0 is all
  // Resolved: of each the same number, one or one for each channel.
  std::vector<float> mean = {0};
  std::vector<float> deviation = {1};
  // kFolder and kTar: what images become. 0 x 0: all have the size of the first.
  uint32_t height = 0;
  uint32_t width = 0;
  uint32_t channels = 3;
  uint64_t cache_bytes = 0;
  uint64_t max_corrupt = 0;
  std::vector<AugmentationStep> augmentation;
};

// What a pass computes in.
enum class Precision { kFp32, kBf16 };

enum class Algorithm { kConAdv, kDisAdv, kVanilla, kFastAdvProp, kFree, kFgsmRs, kNFgsm, kPgd };
enum class Consistency { kSync, kSsp, kAsync };

// As the job file spells them.
absl::string_view AlgorithmName(Algorithm algorithm);
absl::string_view ConsistencyName(Consistency consistency);

struct TrainingOptions {
  Algorithm algorithm = Algorithm::kConAdv;
  uint32_t tau = 0;  // kConAdv: at least 1 (with 0 it is kDisAdv); otherwise 0
  Consistency consistency = Consistency::kSync;
  uint32_t staleness_bound = 0;  // kSsp; otherwise 0
  uint32_t global_batch = 0;
  uint32_t slots = 0;
  double epochs = 0;
  uint64_t steps = 0;  // 0: from epochs
  // A stream of weight 0 does not exist.
  float clean_weight = 1;
  float augmented_weight = 0;
  float adversarial_weight = 1;     // 0 for kVanilla
  bool mixture_batch_norm = false;  // only with an adversarial stream and another
  float adversarial_share = 0;      // kFastAdvProp; otherwise 0
  uint32_t replays = 1;             // kFree; otherwise 1
  float label_smoothing = 0;
  bool damping = false;
  float delay_compensation = 0;
  Precision precision = Precision::kFp32;

  // Whether there are adversarial examples.
  bool attacks() const { return algorithm != Algorithm::kVanilla; }
  bool sync() const { return consistency == Consistency::kSync; }
  uint32_t slot_size() const { return global_batch / slots; }
  // kFastAdvProp: a slot's last examples, which are attacked. At least 2 (BatchNorm), and as many
  // are left.
  uint32_t attacked_size() const {
    const auto share =
        static_cast<uint32_t>(adversarial_share * static_cast<float>(slot_size()) + 0.5F);
    return std::min(std::max(share, 2U), slot_size() - 2);
  }
  // The oldest weights that a unit of work may need, in versions behind those of its update.
  uint32_t versions_back() const { return std::max(tau, replays - 1); }
  // Which step's examples and random numbers a step has.
  uint64_t data_step(uint64_t step) const { return step / replays; }
  // Contributions that make one update, and updates of one step.
  uint32_t slots_per_update() const { return sync() ? slots : 1; }
  uint32_t updates_per_step() const { return sync() ? 1 : slots; }
};

enum class AttackStep { kSign, kL2, kRaw };

struct AttackOptions {
  AttackStep step = AttackStep::kSign;
  float step_size = 0;
  float epsilon = 0;  // 0 is no ball, and so for kRaw and where nothing is projected
  uint32_t steps = 0;
  float random_start = 0;
  bool targeted = false;
  Precision precision = Precision::kFp32;
  bool batch_statistics = false;  // BatchNorm's of the slot, rather than the running ones
  float start_radius = 0;         // resolved: 0 only if there are no random starts
  uint32_t cosine_every = 0;      // steps, kConAdv; 0: never, and otherwise
};

struct SgdOptions {
  float momentum = 0;
  bool nesterov = false;
  float weight_decay = 0;
};
struct LarsOptions {
  float trust = 0;
  float momentum = 0;
  float weight_decay = 0;
};
struct AdamWOptions {
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  float weight_decay = 0;
};
struct LambOptions {
  float beta1 = 0;
  float beta2 = 0;
  float epsilon = 0;
  float weight_decay = 0;
};

// What a job says of the tensors that a pattern matches, instead of the optimizer's own rules.
struct TensorRule {
  std::string pattern;
  std::optional<float> weight_decay;
  std::optional<bool> trust_ratio;
  bool frozen = false;
};

struct AverageOptions {
  float decay = 0;
  bool warmup = true;
};

struct OptimizerOptions {
  std::variant<SgdOptions, LarsOptions, AdamWOptions, LambOptions> rule;
  float clip_norm = 0;         // of each tensor; 0 is off
  float global_clip_norm = 0;  // of all; 0 is off
  std::vector<TensorRule> tensors;
  std::optional<AverageOptions> average;
};

struct ConstantDecay {};
struct PolyDecay {
  float power = 0;
};
struct CosineDecay {};
struct StepDecay {
  std::vector<double> milestones;
  float factor = 0;
};

struct ScheduleOptions {
  float peak = 0;
  double warmup = 0;
  std::variant<ConstantDecay, PolyDecay, CosineDecay, StepDecay> decay;
};

struct ServerOptions {
  uint32_t retain = 0;            // resolved: never 0
  uint64_t checkpoint_every = 0;  // 0: by time
  absl::Duration checkpoint_interval = absl::Seconds(10);
  uint32_t checkpoint_keep = 3;
  std::string checkpoint_dir;
  absl::Duration lease;
  absl::Duration unit_timeout = absl::Seconds(120);
};

enum class EvaluationSuite { kPgd, kStandard };
enum class EvaluationNorm { kLinf, kL2 };
enum class EvaluationLoss { kCrossEntropy, kMargin };

struct EvaluationOptions {
  uint64_t every = 0;
  uint32_t attack_steps = 0;
  float epsilon = 0;
  float step_size = 0;  // resolved: never 0 if attack_steps > 0
  uint64_t limit = 0;
  EvaluationSuite suite = EvaluationSuite::kPgd;
  EvaluationNorm norm = EvaluationNorm::kLinf;
  uint32_t restarts = 1;
  EvaluationLoss loss = EvaluationLoss::kCrossEntropy;
  bool sample = false;
  std::string corruptions;  // empty: none
};

// What weights and gradients are on their way.
struct WireOptions {
  ElementType weights = ElementType::kFloat32;
  ElementType gradients = ElementType::kFloat32;
};

struct Job {
  std::string name;
  uint64_t seed = 0;
  bool reproducible = false;  // false unless kSync
  ModelOptions model;
  DatasetOptions dataset;
  TrainingOptions training;
  AttackOptions attack;
  OptimizerOptions optimizer;
  ScheduleOptions schedule;
  ServerOptions server;
  EvaluationOptions evaluation;
  WireOptions wire;
};

// The run's length in steps, for a training set of `examples`: training.steps, or else
// max(1, floor(epochs * examples / global_batch)).
uint64_t StepsOf(const TrainingOptions& training, uint64_t examples);

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_JOB_H_
