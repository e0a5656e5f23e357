// SPDX-License-Identifier: Apache-2.0
// One case for every rule of job.proto: the settings that break it, and the one line that says so.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "common/job/parse.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

v1::Job GoodJob(const std::vector<std::string>& settings) {
  v1::Job job;
  job.mutable_model()->set_builtin("convnet");
  job.mutable_dataset()->set_path("/data");
  job.mutable_optimizer()->mutable_sgd();
  const absl::Status status = ApplySettings(settings, &job);
  EXPECT_TRUE(status.ok()) << status;
  return job;
}

std::vector<std::string> LinesOf(const v1::Job& job) {
  const absl::Status status = ValidateJob(job).status();
  if (status.ok()) return {};
  EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument);
  return absl::StrSplit(status.message(), '\n');
}

// So many, all alike.
std::string Patterns(int count) {
  return absl::StrCat("[", absl::StrJoin(std::vector<std::string>(count, "{pattern: '*'}"), ", "),
                      "]");
}

struct Case {
  std::vector<std::string> settings;
  std::string line;
};

TEST(ValidateJob, SaysWhichRuleIsBroken) {
  const std::vector<Case> cases = {
      {{"name="}, "name: must be 1 to 63 of a-z, 0-9 and -, got \"\""},
      {{"name=Job"}, "name: must be 1 to 63 of a-z, 0-9 and -, got \"Job\""},
      {{"name=a\nb"}, "name: must be 1 to 63 of a-z, 0-9 and -, got \"a\\nb\""},
      {{"training.augmented_weight=-1"}, "training.augmented_weight: must be ≥ 0, got -1"},
      {{"training.augmented_weight=1"},
       "training.augmented_weight: needs a step of dataset.augmentation that is not for "
       "every_pass, got 1"},
      {{"training.augmented_weight=1",
        "dataset.augmentation=[{flip: 1}, {cutout: 2 every_pass: "
        "true}]"},
       "dataset.augmentation[1].every_pass: must be false after a step where it is: what every "
       "pass sees comes first"},
      {{"dataset.augmentation=[{flip: 1 every_pass: true}]"},
       "dataset.augmentation: every_pass needs training.augmented_weight > 0; without it every "
       "pass sees all steps"},
      {{"training.adversarial_weight=0"},
       "training.adversarial_weight: must be > 0; training.algorithm VANILLA has no adversarial "
       "gradient, got 0"},
      {{"training.clean_weight=0", "training.mixture_batch_norm=true"},
       "training.mixture_batch_norm: must be false where training.clean_weight and "
       "training.augmented_weight are 0: the BatchNorm that is evaluated would never be trained"},
      {{"training.replays=3"}, "training.replays: needs training.algorithm FREE, got 3"},
      {{"training.adversarial_share=0.5"},
       "training.adversarial_share: needs training.algorithm FAST_ADVPROP, got 0.5"},
      {{"training.algorithm=FREE", "training.replays=1"},
       "training.replays: must be 2 to 64, got 1"},
      {{"training.algorithm=FREE", "training.clean_weight=1"},
       "training.clean_weight: must be 0 or unset with FREE, got 1"},
      {{"training.algorithm=FREE", "training.consistency=ASYNC"},
       "training.consistency: must be SYNC with FREE: its updates are one after the other, got "
       "ASYNC"},
      {{"training.algorithm=FREE", "attack.targeted=true"},
       "attack.targeted: must be false with FREE: the weights learn from the attack's loss"},
      {{"training.algorithm=FREE", "attack.batch_norm=RUNNING"},
       "attack.batch_norm: must be BATCH or unset with FREE"},
      {{"training.algorithm=FREE", "attack.precision=BF16"},
       "attack.precision: must be training.precision with FREE"},
      {{"training.algorithm=FAST_ADVPROP", "attack.steps=2"},
       "attack.steps: must be 1 with FAST_ADVPROP, got 2"},
      {{"training.algorithm=FAST_ADVPROP", "training.adversarial_share=1"},
       "training.adversarial_share: must be > 0 and < 1, got 1"},
      {{"training.algorithm=FAST_ADVPROP", "training.clean_weight=0",
        "training.mixture_batch_norm=false"},
       "training.clean_weight: must be > 0 with FAST_ADVPROP, got 0"},
      {{"training.algorithm=FAST_ADVPROP", "training.global_batch=12"},
       "training.global_batch: must be ≥ 4 examples for each slot with FAST_ADVPROP: 2 clean ones "
       "and 2 that are attacked, got 12"},
      {{"attack.start_radius=0.1"}, "attack.start_radius: needs attack.random_start > 0, got 0.1"},
      {{"attack.start_radius=-1", "attack.random_start=1"},
       "attack.start_radius: must be ≥ 0, got -1"},
      {{"model.builtin=resnet"},
       "model.builtin: must be one of mlp, convnet, resnet20, resnet18, resnet50, "
       "preactresnet18, got \"resnet\""},
      {{"model.stem=CIFAR"}, "model.stem: needs model.builtin resnet18 or resnet50"},
      {{"dataset.mean=1,2", "dataset.deviation=1,2,3"},
       "dataset.deviation: must be one, or as many as dataset.mean has, 2, got 3"},
      {{"model.torchscript="}, "model.torchscript: must be the path of a TorchScript file"},
      {{"model.width=4097"}, "model.width: must be 0 to 4096, got 4097"},
      {{"dataset.path="}, "dataset.path: must be set, to the directory of the data set's files"},
      {{"dataset.deviation=0"}, "dataset.deviation: must be > 0, got 0"},
      {{"dataset.cache_bytes=1"},
       "dataset.cache_bytes: needs dataset.format FOLDER or TAR, got IDX"},
      {{"dataset.channels=3"}, "dataset.channels: needs dataset.format FOLDER or TAR, got IDX"},
      {{"dataset.format=cifar10", "dataset.max_corrupt=1"},
       "dataset.max_corrupt: needs dataset.format FOLDER or TAR, got CIFAR10"},
      {{"dataset.height=4"}, "dataset.height: needs dataset.format FOLDER or TAR, got IDX"},
      {{"dataset.width=4"}, "dataset.width: needs dataset.format FOLDER or TAR, got IDX"},
      {{"dataset.format=folder", "dataset.height=32"},
       "dataset.width: must be 0 if dataset.height is, and only then; that is 32, got 0"},
      {{"dataset.format=tar", "dataset.height=8193", "dataset.width=1"},
       "dataset.height: must be ≤ 8192, got 8193"},
      {{"dataset.format=tar", "dataset.height=1", "dataset.width=8193"},
       "dataset.width: must be ≤ 8192, got 8193"},
      {{"dataset.format=folder", "dataset.channels=2"},
       "dataset.channels: must be 1 (grey), 3 (RGB) or 4 (RGB and opacity), or 0, which is 3, got "
       "2"},
      {{"dataset.format=folder", "dataset.mean=1,2"},
       "dataset.mean: must be one, or one for each of the 3 channels, got 2"},
      {{"dataset.format=folder", "dataset.channels=1", "dataset.deviation=1,2"},
       "dataset.deviation: must be one, or one for each of the 1 channels, got 2"},
      {{"dataset.augmentation=[{flip: 1}, {}]"},
       "dataset.augmentation[1]: must have one of flip, crop, resized_crop, auto_augment, "
       "rand_augment, cutout"},
      {{"dataset.augmentation={flip: 1.5}"},
       "dataset.augmentation[0].flip: must be 0 to 1, got 1.5"},
      {{"dataset.augmentation={flip: nan}"},
       "dataset.augmentation[0].flip: must be finite, got nan"},
      {{"dataset.augmentation={crop {padding: 0}}"},
       "dataset.augmentation[0].crop.padding: must be 1 to 1024, got 0"},
      {{"dataset.augmentation={resized_crop {min_area: 0}}"},
       "dataset.augmentation[0].resized_crop.min_area: must be > 0, got 0"},
      {{"dataset.augmentation={resized_crop {max_area: 0.07}}"},
       "dataset.augmentation[0].resized_crop.max_area: must be min_area to 1, got 0.07"},
      {{"dataset.augmentation={resized_crop {min_aspect: 0.001}}"},
       "dataset.augmentation[0].resized_crop.min_aspect: must be ≥ 0.01, got 0.001"},
      {{"dataset.augmentation={resized_crop {max_aspect: 101}}"},
       "dataset.augmentation[0].resized_crop.max_aspect: must be min_aspect to 100, got 101"},
      {{"dataset.augmentation={rand_augment {operations: 0}}"},
       "dataset.augmentation[0].rand_augment.operations: must be 1 to 16, got 0"},
      {{"dataset.augmentation={rand_augment {bins: 1001}}"},
       "dataset.augmentation[0].rand_augment.bins: must be 2 to 1000, got 1001"},
      {{"dataset.augmentation={rand_augment {magnitude: 31}}"},
       "dataset.augmentation[0].rand_augment.magnitude: must be less than bins, 31, got 31"},
      {{"dataset.augmentation={cutout: 0}"},
       "dataset.augmentation[0].cutout: must be 1 to 8192, got 0"},
      {{absl::StrCat("dataset.augmentation=[",
                     absl::StrJoin(std::vector<std::string>(17, "{flip: 0}"), ","), "]")},
       "dataset.augmentation: must be at most 16 steps, got 17"},
      {{"training.tau=200"}, "training.tau: must be ≤ 63, got 200"},
      {{"training.algorithm=disadv", "training.tau=1"},
       "training.tau: must be 0 or unset with DISADV; CONADV attacks with older weights, got 1"},
      {{"training.clean_weight=-1"}, "training.clean_weight: must be ≥ 0, got -1"},
      {{"training.adversarial_weight=-1"}, "training.adversarial_weight: must be ≥ 0, got -1"},
      {{"training.clean_weight=0", "training.adversarial_weight=0"},
       "training.adversarial_weight: must be > 0; training.algorithm VANILLA has no adversarial "
       "gradient, got 0"},
      {{"training.algorithm=vanilla", "training.clean_weight=0"},
       "training.clean_weight: must be > 0 with VANILLA, which has no other gradient, unless "
       "training.augmented_weight is, got 0"},
      {{"training.staleness_bound=1"},
       "training.staleness_bound: needs training.consistency SSP, got SYNC"},
      {{"training.consistency=async", "training.staleness_bound=1"},
       "training.staleness_bound: needs training.consistency SSP, got ASYNC"},
      {{"training.consistency=ssp", "training.staleness_bound=1025"},
       "training.staleness_bound: must be ≤ 1024, got 1025"},
      {{"training.damping=true"},
       "training.damping: needs training.consistency SSP or ASYNC, got SYNC"},
      {{"training.delay_compensation=0.1"},
       "training.delay_compensation: needs training.consistency SSP or ASYNC, got SYNC"},
      {{"training.delay_compensation=-0.1"}, "training.delay_compensation: must be ≥ 0, got -0.1"},
      {{"training.consistency=ssp", "reproducible=true"},
       "reproducible: must be false or unset unless training.consistency is SYNC, got SSP"},
      {{"training.consistency=async", "reproducible=true"},
       "reproducible: must be false or unset unless training.consistency is SYNC, got ASYNC"},
      {{"training.slots=0"}, "training.slots: must be 1 to 4096, got 0"},
      {{"training.slots=64", "training.global_batch=64"},
       "training.global_batch: must be ≥ 2 examples for each of the 64 training.slots, got 64"},
      {{"training.slots=4097", "training.global_batch=4097"},
       "training.slots: must be 1 to 4096, got 4097"},
      {{"training.global_batch=0"}, "training.global_batch: must be ≥ 1, got 0"},
      {{"training.global_batch=510"},
       "training.global_batch: must be a multiple of training.slots (4), got 510"},
      {{"training.epochs=-1"}, "training.epochs: must be 0 to 1e6, got -1"},
      {{"training.epochs=0"}, "training.epochs: must be > 0 unless training.steps is"},
      {{"training.label_smoothing=1"}, "training.label_smoothing: must be 0 to < 1, got 1"},
      {{"training.label_smoothing=-0.5"}, "training.label_smoothing: must be 0 to < 1, got -0.5"},
      {{"attack.step_size=0"}, "attack.step_size: must be > 0, got 0"},
      {{"attack.epsilon=-1"}, "attack.epsilon: must be ≥ 0, got -1"},
      {{"attack.steps=0"}, "attack.steps: must be 1 to 100, got 0"},
      {{"attack.steps=101"}, "attack.steps: must be 1 to 100, got 101"},
      {{"attack.random_start=1.5"}, "attack.random_start: must be 0 to 1, got 1.5"},
      {{"attack.random_start=-0.5"}, "attack.random_start: must be 0 to 1, got -0.5"},
      {{"attack.random_start=0.5", "attack.epsilon=0"},
       "attack.random_start: needs attack.epsilon > 0: it is drawn from that ball, got 0.5"},
      {{"attack.random_start=0.5", "attack.step=raw"},
       "attack.random_start: must be 0 with attack.step RAW, which has no ball, got 0.5"},
      {{"optimizer.sgd.momentum=1"}, "optimizer.sgd.momentum: must be 0 to < 1, got 1"},
      {{"optimizer.sgd.weight_decay=-1"}, "optimizer.sgd.weight_decay: must be ≥ 0, got -1"},
      {{"optimizer.sgd.nesterov=true", "optimizer.sgd.momentum=0"},
       "optimizer.sgd.nesterov: needs optimizer.sgd.momentum > 0"},
      {{"optimizer.lars.trust=0"}, "optimizer.lars.trust: must be > 0, got 0"},
      {{"optimizer.lars.momentum=-1"}, "optimizer.lars.momentum: must be 0 to < 1, got -1"},
      {{"optimizer.lars.weight_decay=-1"}, "optimizer.lars.weight_decay: must be ≥ 0, got -1"},
      {{"optimizer.adamw.beta1=1"}, "optimizer.adamw.beta1: must be 0 to < 1, got 1"},
      {{"optimizer.adamw.beta2=-1"}, "optimizer.adamw.beta2: must be 0 to < 1, got -1"},
      {{"optimizer.adamw.epsilon=0"}, "optimizer.adamw.epsilon: must be > 0, got 0"},
      {{"optimizer.adamw.weight_decay=-1"}, "optimizer.adamw.weight_decay: must be ≥ 0, got -1"},
      {{"optimizer.lamb.beta1=-1"}, "optimizer.lamb.beta1: must be 0 to < 1, got -1"},
      {{"optimizer.lamb.beta2=1"}, "optimizer.lamb.beta2: must be 0 to < 1, got 1"},
      {{"optimizer.lamb.epsilon=0"}, "optimizer.lamb.epsilon: must be > 0, got 0"},
      {{"optimizer.lamb.weight_decay=-1"}, "optimizer.lamb.weight_decay: must be ≥ 0, got -1"},
      {{"optimizer.clip_norm=-1"}, "optimizer.clip_norm: must be ≥ 0, got -1"},
      {{"optimizer.global_clip_norm=-1"}, "optimizer.global_clip_norm: must be ≥ 0, got -1"},
      {{"optimizer.global_clip_norm=1", "optimizer.clip_norm=2"},
       "optimizer.global_clip_norm: must be 0 with optimizer.clip_norm, got 1"},
      {{"optimizer.tensors={frozen: true}"},
       "optimizer.tensors[0].pattern: must be 1 to 256 bytes long, got 0"},
      {{"optimizer.tensors=[{pattern: 'a'}, {pattern: 'b' weight_decay: -1}]"},
       "optimizer.tensors[1].weight_decay: must be ≥ 0, got -1"},
      {{"optimizer.tensors={pattern: 'a' trust_ratio: false}"},
       "optimizer.tensors[0].trust_ratio: needs optimizer.lars or optimizer.lamb"},
      {{"optimizer.tensors={pattern: 'a' frozen: true weight_decay: 0}"},
       "optimizer.tensors[0].frozen: goes with neither weight_decay nor trust_ratio"},
      {{"optimizer.tensors=" + Patterns(65)},
       "optimizer.tensors: must be at most 64 patterns, got 65"},
      {{"optimizer.average.decay=1"}, "optimizer.average.decay: must be 0 to < 1, got 1"},
      {{"optimizer.average.decay=-0.5"}, "optimizer.average.decay: must be 0 to < 1, got -0.5"},
      {{"schedule.peak=0"}, "schedule.peak: must be > 0, got 0"},
      {{"schedule.warmup=1.5"}, "schedule.warmup: must be 0 to 1, got 1.5"},
      {{"schedule.poly.power=0"}, "schedule.poly.power: must be > 0, got 0"},
      {{"schedule.step.milestones=0,0.5"},
       "schedule.step.milestones[0]: must be > 0 and < 1, got 0"},
      {{"schedule.step.milestones=0.5,1"},
       "schedule.step.milestones[1]: must be > 0 and < 1, got 1"},
      {{"schedule.step.milestones=0.5,0.5"},
       "schedule.step.milestones[1]: must be > the one before, 0.5, got 0.5"},
      {{"schedule.step.factor=0"}, "schedule.step.factor: must be > 0, got 0"},
      {{"server.retain=65537"}, "server.retain: must be ≤ 65536, got 65537"},
      {{"training.tau=3", "server.retain=3"},
       "server.retain: must be 0 or ≥ training.tau + 1 = 4, got 3"},
      {{"server.lease_seconds=0.05"}, "server.lease_seconds: must be 0.1 to 3600, got 0.05"},
      {{"server.lease_seconds=3601"}, "server.lease_seconds: must be 0.1 to 3600, got 3601"},
      {{"evaluation.attack_steps=1001"}, "evaluation.attack_steps: must be ≤ 1000, got 1001"},
      {{"evaluation.epsilon=8"},
       "evaluation.epsilon: must be 0 to 1 (8/255 is 0.031372549), got 8"},
      {{"evaluation.epsilon=0"},
       "evaluation.epsilon: must be > 0 unless evaluation.attack_steps is 0, which measures no "
       "robust accuracy"},
      {{"evaluation.step_size=-1"}, "evaluation.step_size: must be ≥ 0, got -1"},
      {{"evaluation.suite=STANDARD", "evaluation.attack_steps=0"},
       "evaluation.attack_steps: must be > 0 with evaluation.suite STANDARD, which PGD is a part "
       "of"},
      {{"evaluation.norm=L2"},
       "evaluation.epsilon: must be given with evaluation.norm L2: the default is an L-infinity "
       "radius"},
      {{"evaluation.norm=L2", "evaluation.epsilon=10001"},
       "evaluation.epsilon: must be 0 to 10000, in L2 (128/255 is 0.50196), got 10001"},
      {{"evaluation.restarts=0"}, "evaluation.restarts: must be 1 to 100, got 0"},
      {{"evaluation.restarts=101"}, "evaluation.restarts: must be 1 to 100, got 101"},
      {{"evaluation.restarts=2", "evaluation.attack_steps=0"},
       "evaluation.restarts: needs evaluation.attack_steps > 0"},
      {{"evaluation.loss=MARGIN", "evaluation.attack_steps=0"},
       "evaluation.loss: needs evaluation.attack_steps > 0"},
      {{"evaluation.sample=true"},
       "evaluation.sample: needs evaluation.limit, the number of examples to draw"},
  };
  for (const Case& broken : cases) {
    EXPECT_THAT(LinesOf(GoodJob(broken.settings)), ElementsAre(broken.line));
  }
}

TEST(ValidateJob, TakesTheEdgesOfEveryRange) {
  const std::vector<std::vector<std::string>> cases = {
      {},
      {"name=" + std::string(63, 'a')},
      {"training.tau=63", "server.retain=64"},
      {"training.algorithm=disadv", "training.tau=0"},
      {"training.algorithm=vanilla", "training.tau=200", "training.adversarial_weight=1"},
      {"training.consistency=ssp", "training.staleness_bound=1024", "training.damping=true"},
      {"training.consistency=async", "reproducible=false", "training.delay_compensation=0.04"},
      {"training.slots=4096", "training.global_batch=8192", "model.width=4096"},
      {"training.slots=1", "training.global_batch=2", "model.width=1", "model.builtin=mlp"},
      {"training.epochs=0", "training.steps=1"},
      {"dataset.format=tar", "dataset.height=8192", "dataset.width=8192", "dataset.channels=4",
       "dataset.mean=1,2,3,4"},
      {"dataset.format=folder", "dataset.max_corrupt=9", "dataset.cache_bytes=0"},
      {"dataset.cache_bytes=1073741824"},
      {"dataset.augmentation=[{flip: 0}, {flip: 1}, {crop {padding: 1024}}, {cutout: 8192}, "
       "{resized_crop {min_area: 1, min_aspect: 1, max_aspect: 1}}, {auto_augment: SVHN}, "
       "{rand_augment {operations: 16, magnitude: 999, bins: 1000}}]"},
      {"training.clean_weight=0"},
      {"attack.random_start=1", "attack.steps=100"},
      {"attack.step=raw", "attack.epsilon=0"},
      {"optimizer.sgd.momentum=0"},
      {"optimizer.global_clip_norm=1", "optimizer.clip_norm=0"},
      {"optimizer.tensors=" + Patterns(64)},
      {"optimizer.lars=", "optimizer.tensors={pattern: '*' trust_ratio: true weight_decay: 0}"},
      {"optimizer.lamb=", "optimizer.tensors={pattern: '" + std::string(256, '?') + "'}"},
      {"optimizer.average.decay=0"},
      {"schedule.warmup=1", "schedule.step.milestones=0.1,0.2,0.99"},
      {"server.lease_seconds=0.1"},
      {"evaluation.attack_steps=0", "evaluation.epsilon=0"},
      {"evaluation.norm=L2", "evaluation.epsilon=1.5", "evaluation.restarts=100"},
      {"evaluation.sample=true", "evaluation.limit=1", "evaluation.suite=STANDARD"},
  };
  for (const std::vector<std::string>& settings : cases) {
    EXPECT_THAT(LinesOf(GoodJob(settings)), ElementsAre()) << testing::PrintToString(settings);
  }
}

TEST(ValidateJob, SaysWhatAnEmptyJobLacks) {
  EXPECT_THAT(LinesOf(v1::Job()),
              ElementsAre("model.builtin: must be set, to one of mlp, convnet, resnet20, resnet18, "
                          "resnet50, preactresnet18; or model.torchscript, to a file of your own",
                          "dataset.path: must be set, to the directory of the data set's files",
                          "optimizer: must have a rule: sgd, lars, adamw or lamb"));
}

TEST(ValidateJob, NamesEveryBrokenRuleAtOnce) {
  EXPECT_THAT(
      LinesOf(GoodJob({"name=", "training.tau=64", "schedule.peak=0"})),
      ElementsAre(HasSubstr("name: "), HasSubstr("training.tau: "), HasSubstr("schedule.peak: ")));
}

// Text fields of proto2 may hold any bytes.
TEST(ValidateJob, ARefusalIsTextWhateverTheJobHolds) {
  v1::Job job = GoodJob({});
  job.set_name("\xff");
  job.mutable_model()->set_builtin("\xc3");
  EXPECT_THAT(LinesOf(job), ElementsAre(HasSubstr("got \"\\xff\""), HasSubstr("got \"\\xc3\"")));
}

TEST(ValidateJob, RefusesFieldsOfANewerBuild) {
  v1::Job job = GoodJob({});
  v1::Training& training = *job.mutable_training();
  training.GetReflection()->MutableUnknownFields(&training)->AddVarint(1, 17);
  EXPECT_THAT(LinesOf(job),
              ElementsAre(HasSubstr("training: field number 1 or its value is unknown")));

  job = GoodJob({"dataset.augmentation=[{flip: 0}, {flip: 0}]"});
  v1::Augmentation& step = *job.mutable_dataset()->mutable_augmentation(1);
  step.GetReflection()->MutableUnknownFields(&step)->AddVarint(99, 17);
  EXPECT_THAT(LinesOf(job),
              ElementsAre(HasSubstr("dataset.augmentation[1]: field number 99 or its value")));
}

// Every float and double there is, found by reflection, so that a new field cannot be forgotten.
void ExpectFiniteOnly(google::protobuf::Message* message, const std::string& path,
                      const v1::Job& job, int* found) {
  const google::protobuf::Reflection& reflection = *message->GetReflection();
  const google::protobuf::Descriptor& descriptor = *message->GetDescriptor();
  for (int i = 0; i < descriptor.field_count(); ++i) {
    const google::protobuf::FieldDescriptor* field = descriptor.field(i);
    const std::string field_path = path + field->name();
    if (field->is_repeated()) continue;
    if (field->message_type() != nullptr) {
      ExpectFiniteOnly(reflection.MutableMessage(message, field), field_path + ".", job, found);
      continue;
    }
    const bool is_float = field->cpp_type() == field->CPPTYPE_FLOAT;
    if ((!is_float && field->cpp_type() != field->CPPTYPE_DOUBLE)) continue;
    ++*found;
    for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity(),
                             -std::numeric_limits<double>::infinity()}) {
      if (is_float) {
        reflection.SetFloat(message, field, static_cast<float>(bad));
      } else {
        reflection.SetDouble(message, field, bad);
      }
      EXPECT_THAT(LinesOf(job), testing::Contains(HasSubstr(field_path + ": must be finite")));
    }
    reflection.ClearField(message, field);
  }
}

TEST(ValidateJob, TakesNoNumberThatIsNotFinite) {
  v1::Job job = GoodJob({});
  int found = 0;
  ExpectFiniteOnly(&job, "", job, &found);
  EXPECT_GE(found, 31);
  EXPECT_THAT(LinesOf(GoodJob({"schedule.step.milestones=nan"})),
              ElementsAre("schedule.step.milestones[0]: must be finite, got nan"));
}

}  // namespace
}  // namespace conadv
