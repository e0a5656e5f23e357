// SPDX-License-Identifier: Apache-2.0
// Units through all passes: from data sets that are not in memory, and on devices of two kinds.
#include "worker/compute/torch_compute.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>

#include "tests/support/streams.h"
#include "tests/worker/data/generated_dataset.h"
#include "tests/worker/device/devices.h"
#include "tests/worker/model/replicas.h"
#include "worker/data/permutation.h"

namespace conadv {
namespace {

using ::testing::HasSubstr;

Job MakeJob() {
  Job job;
  job.seed = 3;
  job.training.tau = 1;
  job.training.slots = 2;
  job.training.global_batch = 32;
  job.training.mixture_batch_norm = true;
  job.training.label_smoothing = 0.1F;
  job.attack.step_size = job.attack.epsilon = 0.05F;
  job.attack.steps = 2;
  job.attack.random_start = 0.8F;
  job.attack.targeted = true;
  return job;
}

// One unit's contribution: both streams, and what the passes measured.
struct UnitGradients {
  std::shared_ptr<Arena> clean;
  std::shared_ptr<Arena> adversarial;
  PassMeasures clean_measures;
  PassMeasures adversarial_measures;
};

class TorchComputeTest : public testing::Test {
 protected:
  std::unique_ptr<TorchCompute> Make(std::shared_ptr<Device> device) {
    return std::make_unique<TorchCompute>(job_, std::make_shared<GeneratedDataset>(generated_),
                                          layout_, factory_, std::move(device), /*lanes=*/1);
  }
  absl::StatusOr<UnitGradients> Run(TorchCompute& compute, Unit unit) {
    UnitGradients result;
    result.clean = Filled(layout_->total_size(), 55);
    result.adversarial = Filled(layout_->total_size(), 55);
    const auto loaded = compute.Load(unit);
    if (!loaded.ok()) return loaded.status();
    const auto clean =
        compute.Pass(0, unit, kCleanStream, *loaded, weights_, result.clean, nullptr);
    if (!clean.ok()) return clean.status();
    const auto batch = compute.Attack(0, unit, *loaded, {stale_});
    if (!batch.ok()) return batch.status();
    const auto adversarial =
        compute.Pass(0, unit, kAdversarialStream, *batch, weights_, result.adversarial, nullptr);
    if (!adversarial.ok()) return adversarial.status();
    result.clean_measures = *clean;
    result.adversarial_measures = *adversarial;
    return result;
  }

  static constexpr ImageShape kThousandClasses{1, 8, 8, 1000};
  const Unit unit_{Step(7), Slot(1)};
  const Job job_ = MakeJob();
  GeneratedOptions generated_;  // 64 TiB of images, 1,000 classes
  const NetworkFactory factory_ = SmallFactory("convnet", 1, kThousandClasses);
  const std::unique_ptr<Network> network_ = factory_();
  const std::shared_ptr<const Layout> layout_ = LayoutOf(*network_, true, 2);
  const std::shared_ptr<Arena> weights_ = InitialWeights(*network_, *layout_);
  const std::shared_ptr<Arena> stale_ = [this] {
    auto stale = Copy(*weights_);
    for (float& value : stale->span()) value *= 1.25F;
    return stale;
  }();
};

TEST_F(TorchComputeTest, TrainsOnAThousandClassesOutOfADataSetThatNoMemoryHolds) {
  const auto compute = Make(MakeCpuDevice());
  const auto contribution = Run(*compute, unit_);
  ASSERT_TRUE(contribution.ok()) << contribution.status();
  // Nothing is learnt yet: all classes are about as likely.
  EXPECT_NEAR(contribution->clean_measures.loss, std::log(1000), 1);
  // Every example pulls at the bias of its own class, wherever in the thousand that is.
  const torch::Tensor bias = InArena(*layout_, *contribution->clean, "classify.bias");
  const GeneratedDataset dataset(generated_);
  for (const uint64_t index : UnitExamples(job_.seed, dataset.examples(), 2, 16, unit_)) {
    EXPECT_LT(bias[dataset.LabelOf(index)].item<float>(), -0.03F);
  }
}

TEST_F(TorchComputeTest, EveryPassTakesTheUnitsAugmentedExamples) {
  const auto plain = Make(MakeCpuDevice());
  const UnitGradients expected = Run(*plain, unit_).value();
  Job job = MakeJob();
  job.dataset.augmentation = {{FlipOptions{0.5}}, {CropOptions{2}}};
  const auto augmenting = std::make_unique<TorchCompute>(
      job, std::make_shared<GeneratedDataset>(generated_), layout_, factory_, MakeCpuDevice(), 1);
  const UnitGradients augmented = Run(*augmenting, unit_).value();
  EXPECT_FALSE(SameBits(*augmented.clean, *expected.clean));
  EXPECT_FALSE(SameBits(*augmented.adversarial, *expected.adversarial));
  // Whoever computes it again.
  const UnitGradients again = Run(*augmenting, unit_).value();
  EXPECT_TRUE(SameBits(*augmented.clean, *again.clean));
  EXPECT_TRUE(SameBits(*augmented.adversarial, *again.adversarial));
}

TEST_F(TorchComputeTest, WithAnAugmentedPassTheOthersTakeTheImagesAsTheyAre) {
  const UnitGradients expected = Run(*Make(MakeCpuDevice()), unit_).value();
  Job job = MakeJob();
  job.training.augmented_weight = 1;
  job.dataset.augmentation = {{FlipOptions{1}}};
  const auto layout = std::make_shared<const Layout>(
      *Layout::Create(TensorsOf(*network_, TwinBranches(job.training)), 2));
  const auto weights = InitialWeights(*network_, *layout);
  TorchCompute compute(job, std::make_shared<GeneratedDataset>(generated_), layout, factory_,
                       MakeCpuDevice(), 1);
  const auto loaded = compute.Load(unit_).value();
  const auto pass = [&](uint64_t stream, std::shared_ptr<const UnitBatch> batch) {
    auto gradients = Filled(layout->total_size(), 55);
    EXPECT_TRUE(
        compute.Pass(0, unit_, StreamIndex(stream), std::move(batch), weights, gradients, nullptr)
            .ok());
    return gradients;
  };
  const auto stale = Copy(*weights);
  for (float& value : stale->span()) value *= 1.25F;
  const auto clean = pass(0, loaded);
  const auto augmented = pass(1, loaded);
  const auto adversarial = pass(2, compute.Attack(0, unit_, loaded, {stale}).value());
  const auto same = [&](Arena& actual, Arena& other, const std::string& name) {
    return SameBits(InArena(*layout, actual, name), InArena(*layout_, other, name));
  };
  EXPECT_TRUE(same(*clean, *expected.clean, "classify.weight"));
  EXPECT_TRUE(same(*adversarial, *expected.adversarial, "classify.weight"));
  EXPECT_FALSE(same(*augmented, *expected.clean, "classify.weight"));
  // What the stream covers beside its own tensors is 0.
  const Branch branch = Branch::kAugmented;
  for (const Placement& placement : layout->placements()) {
    if (placement.tensor.branch != Branch::kAuxiliary) continue;
    const Range range = layout->branch_range(placement.shard, branch);
    EXPECT_GE(placement.offset, range.begin);
    EXPECT_FALSE(InArena(*layout, *augmented, placement.tensor.name).any().item<bool>());
  }
}

TEST_F(TorchComputeTest, ReplaysAreTheSameBitsWhereTheStepBeforeWasAndFromOlderWeights) {
  Job job = MakeJob();
  job.training.algorithm = Algorithm::kFree;
  job.training.clean_weight = 0;
  job.training.replays = 3;
  job.attack.steps = 1;
  job.attack.targeted = false;
  const auto make = [&] {
    return std::make_unique<TorchCompute>(job, std::make_shared<GeneratedDataset>(generated_),
                                          layout_, factory_, MakeCpuDevice(), 1);
  };
  const auto pass = [&](TorchCompute& compute, Unit unit,
                        std::vector<std::shared_ptr<const Arena>> older,
                        std::shared_ptr<const Arena> weights) {
    auto gradients = Filled(layout_->total_size(), 55);
    const auto loaded = compute.Load(unit).value();
    const auto attacked = compute.Attack(0, unit, loaded, std::move(older));
    EXPECT_TRUE(attacked.ok()) << attacked.status();
    EXPECT_TRUE(
        compute.Pass(0, unit, StreamIndex(0), *attacked, std::move(weights), gradients, nullptr)
            .ok());
    return gradients;
  };
  const auto one = make();
  const Unit first{Step(6), Slot(1)}, second{Step(7), Slot(1)}, third{Step(8), Slot(1)};
  const auto begun = pass(*one, first, {}, weights_);
  EXPECT_TRUE(one->HasReplay(second));
  EXPECT_FALSE(one->HasReplay({Step(7), Slot(0)}));
  pass(*one, second, {}, stale_);
  const auto here = pass(*one, third, {}, weights_);
  EXPECT_FALSE(one->HasReplay({Step(9), Slot(1)}));  // another batch

  const auto other = make();
  EXPECT_FALSE(other->HasReplay(third));
  const auto elsewhere = pass(*other, third, {weights_, stale_}, weights_);
  EXPECT_TRUE(SameBits(*elsewhere, *here));
  EXPECT_FALSE(SameBits(*here, *begun));
  // Without what the step before left and without weights it is not done wrongly.
  one->Forget();
  EXPECT_FALSE(one->Attack(0, third, one->Load(third).value(), {}).ok());
}

TEST_F(TorchComputeTest, AMeasuredUnitsCosineIsThatOfItsAttackAndChangesNoBit) {
  for (const bool in_batch : {false, true}) {
    Job job = MakeJob();
    job.attack.batch_statistics = in_batch;
    const auto make = [&](uint32_t every) {
      job.attack.cosine_every = every;
      return std::make_unique<TorchCompute>(job, std::make_shared<GeneratedDataset>(generated_),
                                            layout_, factory_, MakeCpuDevice(), 1);
    };
    const auto plain = make(0);
    const auto measuring = make(1);
    int measured = 0;
    for (const uint64_t slot : {0, 1}) {
      const Unit unit{Step(7), Slot(slot)};
      const auto loaded = measuring->Load(unit).value();
      const auto attacked = measuring->Attack(0, unit, loaded, {stale_}).value();
      const auto cosine = measuring->AttackCosine(0, unit, *attacked, weights_).value();
      auto gradients = Filled(layout_->total_size(), 55);
      ASSERT_TRUE(
          measuring->Pass(0, unit, kAdversarialStream, attacked, weights_, gradients, nullptr)
              .ok());
      EXPECT_TRUE(SameBits(*gradients, *Run(*plain, unit)->adversarial));
      if (!cosine.has_value()) continue;
      ++measured;
      EXPECT_GT(*cosine, 0.1F);
      EXPECT_LT(*cosine, 0.999F);
      // With the attack's own weights it is the same gradient.
      EXPECT_NEAR(**measuring->AttackCosine(0, unit, *attacked, stale_), 1, 1e-6);
      const auto other = plain->Attack(0, unit, plain->Load(unit).value(), {stale_}).value();
      EXPECT_FALSE(plain->AttackCosine(0, unit, *other, weights_)->has_value());
    }
    EXPECT_EQ(measured, 1) << "one slot of a step";
  }
}

TEST_F(TorchComputeTest, AnExampleThatCannotBeReadFailsItsUnitWithTheReason) {
  generated_.unreadable = UnitExamples(job_.seed, generated_.examples, 2, 16, unit_)[3];
  const auto compute = Make(MakeCpuDevice());
  EXPECT_TRUE(Run(*compute, {Step(7), Slot(0)}).ok());
  const absl::Status failed = Run(*compute, unit_).status();
  EXPECT_EQ(failed.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(failed.message()),
              HasSubstr("the examples of " + unit_.ToString() + ": example "));
  EXPECT_THAT(std::string(failed.message()), HasSubstr("the file is gone"));
}

TEST_F(TorchComputeTest, DevicesThatCopyEverythingGiveTheBitsOfTheCpu) {
  const auto compute = Make(MakeCpuDevice());
  for (const char* name : {"copying", "accelerator"}) {
    const auto other = Make(*OpenTestDevice(name));
    for (const Unit& unit : {unit_, Unit{Step(0), Slot(0)}, unit_}) {
      const auto expected = Run(*compute, unit);
      const auto actual = Run(*other, unit);
      ASSERT_TRUE(expected.ok()) << expected.status();
      ASSERT_TRUE(actual.ok()) << actual.status();
      EXPECT_TRUE(SameBits(*actual->clean, *expected->clean)) << name;
      EXPECT_TRUE(SameBits(*actual->adversarial, *expected->adversarial)) << name;
      EXPECT_EQ(actual->clean_measures.loss, expected->clean_measures.loss);
      EXPECT_EQ(actual->adversarial_measures.loss, expected->adversarial_measures.loss);
      EXPECT_EQ(actual->adversarial_measures.accuracy, expected->adversarial_measures.accuracy);
    }
  }
}

TEST_F(TorchComputeTest, PassesOfAVersionShareOneCopyOfIt) {
  const auto copying = std::make_shared<CopyingDevice>();
  ASSERT_TRUE(Run(*Make(copying), unit_).ok());
  EXPECT_EQ(copying->copied_versions(), 2);  // the fresh one and the stale one
}

TEST_F(TorchComputeTest, AGpuGivesEqualBitsFromEqualUnitsAndIsNearTheCpu) {
  const auto gpu = OpenTestDevice("cuda");
  if (!gpu.ok()) GTEST_SKIP() << gpu.status().message();
  (*gpu)->PrepareThread();
  const auto one = Make(*gpu), other = Make(*gpu);
  const auto expected = Run(*Make(MakeCpuDevice()), unit_);
  const auto first = Run(*one, unit_), second = Run(*other, unit_);
  ASSERT_TRUE(first.ok()) << first.status();
  ASSERT_TRUE(second.ok()) << second.status();
  EXPECT_TRUE(SameBits(*first->clean, *second->clean));
  EXPECT_TRUE(SameBits(*first->adversarial, *second->adversarial));
  EXPECT_NEAR(first->clean_measures.loss, expected->clean_measures.loss, 1e-3);
  EXPECT_NEAR(first->adversarial_measures.loss, expected->adversarial_measures.loss, 0.05);
}

}  // namespace
}  // namespace conadv
