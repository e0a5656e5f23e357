// SPDX-License-Identifier: Apache-2.0
// What a job means once its defaults are filled in.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <variant>
#include <vector>

#include "common/job/parse.h"
#include "common/job/streams.h"

namespace conadv {
namespace {

using ::testing::ElementsAre;

Job Resolved(const std::vector<std::string>& settings) {
  v1::Job job;
  job.mutable_model()->set_builtin("convnet");
  job.mutable_dataset()->set_path("/data");
  job.mutable_optimizer()->mutable_lars();
  EXPECT_TRUE(ApplySettings(settings, &job).ok());
  const absl::StatusOr<Job> valid = ValidateJob(job);
  EXPECT_TRUE(valid.ok()) << valid.status();
  return valid.ok() ? *valid : Job();
}

TEST(ResolvedJob, HasTheContractsDefaults) {
  const Job job = Resolved({});
  EXPECT_EQ(job.name, "conadv");
  EXPECT_EQ(job.seed, 1);
  EXPECT_TRUE(job.reproducible);
  EXPECT_EQ(job.model.width, 16);
  EXPECT_EQ(job.training.algorithm, Algorithm::kConAdv);
  EXPECT_EQ(job.training.tau, 1);
  EXPECT_EQ(job.training.slot_size(), 128);
  EXPECT_EQ(job.training.adversarial_weight, 1);
  EXPECT_TRUE(job.training.mixture_batch_norm);
  EXPECT_FLOAT_EQ(job.attack.step_size, 4 / 255.F);
  EXPECT_FLOAT_EQ(std::get<LarsOptions>(job.optimizer.rule).trust, 0.001F);
  EXPECT_TRUE(std::holds_alternative<ConstantDecay>(job.schedule.decay));
  EXPECT_EQ(job.server.retain, 3);
  EXPECT_EQ(job.server.lease, absl::Seconds(10));
  EXPECT_FLOAT_EQ(job.evaluation.step_size, 2.5F * (8 / 255.F) / 5);
}

TEST(ResolvedJob, ImagesHaveThreeChannelsUnlessTheJobSaysOtherwise) {
  const DatasetOptions dataset = Resolved({"dataset.format=folder"}).dataset;
  EXPECT_EQ(dataset.format, DatasetFormat::kFolder);
  EXPECT_EQ(dataset.channels, 3);
  EXPECT_EQ(dataset.height, 0);
  EXPECT_EQ(dataset.cache_bytes, uint64_t{1} << 30);
  const DatasetOptions grey =
      Resolved({"dataset.format=tar", "dataset.channels=1", "dataset.height=8", "dataset.width=9",
                "dataset.cache_bytes=7", "dataset.max_corrupt=2"})
          .dataset;
  EXPECT_EQ(grey.format, DatasetFormat::kTar);
  EXPECT_EQ(grey.channels, 1);
  EXPECT_EQ(grey.height, 8);
  EXPECT_EQ(grey.width, 9);
  EXPECT_EQ(grey.cache_bytes, 7);
  EXPECT_EQ(grey.max_corrupt, 2);
}

TEST(ResolvedJob, HasEveryStepOfAugmentationInTheJobsOrder) {
  const std::vector<AugmentationStep> steps =
      Resolved({"dataset.augmentation=[{cutout: 8}, {auto_augment: CIFAR10}, {crop {}}, "
                "{rand_augment {magnitude: 5}}, {resized_crop {min_area: 0.5}}, {flip: 0.25}]"})
          .dataset.augmentation;
  ASSERT_EQ(steps.size(), 6);
  EXPECT_EQ(std::get<CutoutOptions>(steps[0].kind).length, 8);
  EXPECT_EQ(std::get<AutoAugmentOptions>(steps[1].kind).policy, AutoAugmentPolicy::kCifar10);
  EXPECT_EQ(std::get<CropOptions>(steps[2].kind).padding, 4);
  const auto& rand = std::get<RandAugmentOptions>(steps[3].kind);
  EXPECT_EQ(rand.operations, 2);
  EXPECT_EQ(rand.magnitude, 5);
  EXPECT_EQ(rand.bins, 31);
  const auto& crop = std::get<ResizedCropOptions>(steps[4].kind);
  EXPECT_EQ(crop.least_area, 0.5);
  EXPECT_EQ(crop.most_area, 1);
  EXPECT_FLOAT_EQ(static_cast<float>(crop.most_aspect), 4.0F / 3);
  EXPECT_EQ(std::get<FlipOptions>(steps[5].kind).probability, 0.25F);
}

TEST(ResolvedJob, DisAdvHasNoStaleness) {
  const Job job = Resolved({"training.algorithm=disadv"});
  EXPECT_EQ(job.training.tau, 0);
  EXPECT_EQ(job.server.retain, 2);
  EXPECT_TRUE(job.training.mixture_batch_norm);
}

TEST(ResolvedJob, ConAdvWithTauZeroIsDisAdv) {
  EXPECT_EQ(Resolved({"training.tau=0"}).training.algorithm, Algorithm::kDisAdv);
}

TEST(ResolvedJob, VanillaHasNoAdversarialPart) {
  const Job job = Resolved({"training.algorithm=vanilla", "training.tau=5"});
  EXPECT_EQ(job.training.tau, 0);
  EXPECT_EQ(job.training.adversarial_weight, 0);
  EXPECT_FALSE(job.training.mixture_batch_norm);
  EXPECT_FALSE(job.training.attacks());
}

TEST(ResolvedJob, ARivalIsOneLineAndWhatIsSetStays) {
  const std::string epsilon = "attack.epsilon=0.04";
  const Job pgd = Resolved({"training.algorithm=pgd", "training.tau=1", epsilon});
  EXPECT_EQ(pgd.attack.steps, 10);
  EXPECT_FLOAT_EQ(pgd.attack.step_size, 0.01F);
  EXPECT_EQ(pgd.attack.random_start, 1);
  EXPECT_EQ(pgd.training.tau, 0);
  EXPECT_FALSE(pgd.training.mixture_batch_norm);
  EXPECT_EQ(StreamsOf(pgd.training).size(), 1);
  EXPECT_EQ(PassesOf(pgd.training, pgd.attack), 11);
  EXPECT_EQ(Resolved({"training.algorithm=pgd", "attack.steps=7"}).attack.steps, 7);

  const Job fgsm = Resolved({"training.algorithm=fgsm_rs", epsilon});
  EXPECT_FLOAT_EQ(fgsm.attack.step_size, 0.05F);
  EXPECT_FLOAT_EQ(fgsm.attack.epsilon, 0.04F);
  EXPECT_EQ(PassesOf(fgsm.training, fgsm.attack), 2);

  const Job noise = Resolved({"training.algorithm=n_fgsm", epsilon});
  EXPECT_FLOAT_EQ(noise.attack.step_size, 0.04F);
  EXPECT_FLOAT_EQ(noise.attack.start_radius, 0.08F);
  EXPECT_EQ(noise.attack.epsilon, 0);  // nothing is projected

  const Job free = Resolved({"training.algorithm=free", epsilon});
  EXPECT_EQ(free.training.replays, 8);
  EXPECT_EQ(free.server.retain, 9);
  EXPECT_TRUE(free.attack.batch_statistics);
  EXPECT_EQ(PassesOf(free.training, free.attack), 1);
  EXPECT_EQ(free.training.data_step(15), 1);

  const Job fast = Resolved({"training.algorithm=fast_advprop", epsilon});
  EXPECT_EQ(StreamsOf(fast.training).size(), 3);
  EXPECT_NEAR(PassesOf(fast.training, fast.attack), 1.2, 1e-6);
  EXPECT_EQ(fast.training.attacked_size(), 26);  // of 128
}

TEST(ResolvedJob, AnAugmentedPassHasABatchNormOfItsOwnBesideACleanOne) {
  const std::vector<std::string> three = {"training.augmented_weight=0.5",
                                          "dataset.augmentation=[{flip: 0.5}]"};
  const Job mixture = Resolved(three);
  ASSERT_EQ(StreamsOf(mixture.training).size(), 3);
  EXPECT_THAT(TwinBranches(mixture.training), ElementsAre(Branch::kAugmented, Branch::kAuxiliary));
  EXPECT_EQ(PassesOf(mixture.training, mixture.attack), 4);
  std::vector<std::string> alone = three;
  alone.emplace_back("training.clean_weight=0");
  EXPECT_EQ(StreamsOf(Resolved(alone).training)[0].branch, Branch::kMain);
  alone.emplace_back("training.algorithm=vanilla");
  EXPECT_FALSE(Resolved(alone).training.mixture_batch_norm);
  EXPECT_EQ(PassesOf(Resolved(alone).training, {}), 1);
}

TEST(ResolvedJob, OnlyAnAttackThatIsMeantToBeStaleIsMeasured) {
  EXPECT_EQ(Resolved({}).attack.cosine_every, 50);
  EXPECT_EQ(Resolved({"attack.cosine_every=7"}).attack.cosine_every, 7);
  EXPECT_EQ(Resolved({"attack.cosine_every=0"}).attack.cosine_every, 0);
  for (const char* other : {"training.tau=0", "training.algorithm=vanilla",
                            "training.algorithm=disadv", "training.algorithm=free"}) {
    EXPECT_EQ(Resolved({other}).attack.cosine_every, 0) << other;
  }
}

TEST(ResolvedJob, OnlySyncIsReproducible) {
  EXPECT_FALSE(Resolved({"training.consistency=ssp"}).reproducible);
  EXPECT_FALSE(Resolved({"training.consistency=async"}).reproducible);
  EXPECT_FALSE(Resolved({"reproducible=false"}).reproducible);
}

TEST(ResolvedJob, OnlySspHasABound) {
  EXPECT_EQ(Resolved({}).training.staleness_bound, 0);
  EXPECT_EQ(Resolved({"training.consistency=async"}).training.staleness_bound, 0);
  EXPECT_EQ(Resolved({"training.consistency=ssp"}).training.staleness_bound, 1);
}

TEST(ResolvedJob, RetainsMoreVersionsWithoutSync) {
  EXPECT_EQ(Resolved({"training.tau=7"}).server.retain, 9);
  EXPECT_EQ(Resolved({"training.consistency=ssp"}).server.retain, 64);
  EXPECT_EQ(Resolved({"training.tau=7", "server.retain=8"}).server.retain, 9);
  EXPECT_EQ(Resolved({"training.tau=7", "server.retain=12"}).server.retain, 12);
}

TEST(ResolvedJob, RawAttacksHaveNoBall) {
  EXPECT_EQ(Resolved({"attack.step=raw"}).attack.epsilon, 0);
  EXPECT_EQ(Resolved({"attack.step=raw"}).attack.step, AttackStep::kRaw);
}

TEST(ResolvedJob, PassesAreInFloat32UnlessTheJobSaysOtherwiseOfEach) {
  const Job plain = Resolved({});
  EXPECT_EQ(plain.training.precision, Precision::kFp32);
  EXPECT_EQ(plain.attack.precision, Precision::kFp32);
  const Job attack = Resolved({"attack.precision=bf16"});
  EXPECT_EQ(attack.training.precision, Precision::kFp32);
  EXPECT_EQ(attack.attack.precision, Precision::kBf16);
  EXPECT_EQ(Resolved({"training.precision=BF16"}).training.precision, Precision::kBf16);
}

TEST(ResolvedJob, KeepsAnExplicitEvaluationStep) {
  EXPECT_EQ(Resolved({"evaluation.step_size=0.5"}).evaluation.step_size, 0.5F);
  EXPECT_EQ(Resolved({"evaluation.attack_steps=0"}).evaluation.step_size, 0);
}

TEST(ResolvedJob, HasEveryOptimizer) {
  const auto sgd = std::get<SgdOptions>(
      Resolved({"optimizer.sgd.nesterov=true", "optimizer.sgd.momentum=0.5"}).optimizer.rule);
  EXPECT_TRUE(sgd.nesterov);
  EXPECT_EQ(sgd.momentum, 0.5F);
  const auto adamw = std::get<AdamWOptions>(Resolved({"optimizer.adamw="}).optimizer.rule);
  EXPECT_EQ(adamw.epsilon, 1e-8F);
  EXPECT_EQ(adamw.beta2, 0.999F);
  const auto lamb = std::get<LambOptions>(Resolved({"optimizer.lamb="}).optimizer.rule);
  EXPECT_EQ(lamb.epsilon, 1e-6F);
  EXPECT_EQ(lamb.weight_decay, 0.01F);
}

TEST(ResolvedJob, HasWhatItSaysOfTensorsAndOfAnAverage) {
  EXPECT_FALSE(Resolved({}).optimizer.average.has_value());
  const OptimizerOptions options =
      Resolved(
          {"optimizer.tensors=[{pattern: '*.bias' weight_decay: 0.5}, {pattern: 'fc.*' frozen: "
           "true}]",
           "optimizer.average.warmup=false"})
          .optimizer;
  ASSERT_EQ(options.tensors.size(), 2U);
  EXPECT_EQ(options.tensors[0].pattern, "*.bias");
  EXPECT_EQ(options.tensors[0].weight_decay, 0.5F);
  EXPECT_EQ(options.tensors[0].trust_ratio, std::nullopt);
  EXPECT_TRUE(options.tensors[1].frozen);
  EXPECT_EQ(options.tensors[1].weight_decay, std::nullopt);
  EXPECT_EQ(options.average->decay, 0.999F);
  EXPECT_FALSE(options.average->warmup);
}

TEST(ResolvedJob, HasEveryDecay) {
  EXPECT_EQ(std::get<PolyDecay>(Resolved({"schedule.poly="}).schedule.decay).power, 2);
  EXPECT_TRUE(std::holds_alternative<CosineDecay>(Resolved({"schedule.cosine="}).schedule.decay));
  const auto step =
      std::get<StepDecay>(Resolved({"schedule.step.milestones=0.5,0.75"}).schedule.decay);
  EXPECT_THAT(step.milestones, ElementsAre(0.5, 0.75));
  EXPECT_FLOAT_EQ(step.factor, 0.1F);
}

TEST(StepsOf, FollowsEpochsUnlessStepsAreGiven) {
  TrainingOptions training;
  training.global_batch = 512;
  training.epochs = 8;
  EXPECT_EQ(StepsOf(training, 60000), 937);
  training.steps = 5;
  EXPECT_EQ(StepsOf(training, 60000), 5);
}

TEST(StepsOf, IsAtLeastOneAndNeverOverflows) {
  TrainingOptions training;
  training.global_batch = 512;
  training.epochs = 1;
  EXPECT_EQ(StepsOf(training, 10), 1);
  training.epochs = 1e300;
  EXPECT_EQ(StepsOf(training, 60000), uint64_t{1} << 63);
}

}  // namespace
}  // namespace conadv
