// SPDX-License-Identifier: Apache-2.0
// dataset.augmentation: its rules, and what they mean.
#include <string>

#include "absl/strings/str_cat.h"
#include "common/job/rules/rules.h"

namespace conadv {
namespace {

constexpr int kMostSteps = 16;

void CheckResizedCrop(const v1::Augmentation::ResizedCrop& crop, const std::string& path,
                      Violations* violations) {
  constexpr float kMostAspect = 100;
  const float area = crop.max_area();
  const float aspect = crop.max_aspect();
  violations->RequireReal(crop.min_area() > 0, absl::StrCat(path, ".min_area"), "must be > 0",
                          crop.min_area());
  violations->RequireReal(area >= crop.min_area() && area <= 1, absl::StrCat(path, ".max_area"),
                          "must be min_area to 1", area);
  violations->RequireReal(crop.min_aspect() >= 1 / kMostAspect, absl::StrCat(path, ".min_aspect"),
                          "must be ≥ 0.01", crop.min_aspect());
  violations->RequireReal(aspect >= crop.min_aspect() && aspect <= kMostAspect,
                          absl::StrCat(path, ".max_aspect"), "must be min_aspect to 100", aspect);
}

void CheckRandAugment(const v1::Augmentation::RandAugment& augment, const std::string& path,
                      Violations* violations) {
  violations->Require(augment.operations() >= 1 && augment.operations() <= 16,
                      absl::StrCat(path, ".operations"), "must be 1 to 16", augment.operations());
  violations->Require(augment.bins() >= 2 && augment.bins() <= 1000, absl::StrCat(path, ".bins"),
                      "must be 2 to 1000", augment.bins());
  violations->Require(augment.magnitude() < augment.bins(), absl::StrCat(path, ".magnitude"),
                      absl::StrCat("must be less than bins, ", augment.bins()),
                      augment.magnitude());
}

std::string KindNames() {
  std::string names;
  const auto& kinds = *v1::Augmentation::descriptor()->FindOneofByName("step");
  for (int i = 0; i < kinds.field_count(); ++i) {
    absl::StrAppend(&names, i == 0 ? "" : ", ", kinds.field(i)->name());
  }
  return names;
}

void CheckStep(const v1::Augmentation& step, const std::string& path, Violations* violations) {
  switch (step.step_case()) {
    case v1::Augmentation::STEP_NOT_SET:
      violations->Require(false, path, absl::StrCat("must have one of ", KindNames()));
      return;
    case v1::Augmentation::kFlip:
      violations->RequireReal(step.flip() >= 0 && step.flip() <= 1, absl::StrCat(path, ".flip"),
                              "must be 0 to 1", step.flip());
      return;
    case v1::Augmentation::kCrop: {
      const uint32_t padding = step.crop().padding();
      violations->Require(padding >= 1 && padding <= 1024, absl::StrCat(path, ".crop.padding"),
                          "must be 1 to 1024", padding);
      return;
    }
    case v1::Augmentation::kResizedCrop:
      return CheckResizedCrop(step.resized_crop(), absl::StrCat(path, ".resized_crop"), violations);
    case v1::Augmentation::kAutoAugment: return;
    case v1::Augmentation::kRandAugment:
      return CheckRandAugment(step.rand_augment(), absl::StrCat(path, ".rand_augment"), violations);
    case v1::Augmentation::kCutout:
      violations->Require(step.cutout() >= 1 && step.cutout() <= 8192,
                          absl::StrCat(path, ".cutout"), "must be 1 to 8192", step.cutout());
      return;
  }
}

AutoAugmentPolicy ResolvePolicy(v1::Augmentation::Policy policy) {
  switch (policy) {
    case v1::Augmentation::IMAGENET: return AutoAugmentPolicy::kImageNet;
    case v1::Augmentation::CIFAR10: return AutoAugmentPolicy::kCifar10;
    case v1::Augmentation::SVHN: return AutoAugmentPolicy::kSvhn;
  }
  return AutoAugmentPolicy::kImageNet;
}

decltype(AugmentationStep::kind) ResolveKind(const v1::Augmentation& step) {
  const v1::Augmentation::ResizedCrop& crop = step.resized_crop();
  const v1::Augmentation::RandAugment& rand = step.rand_augment();
  switch (step.step_case()) {
    case v1::Augmentation::STEP_NOT_SET: break;
    case v1::Augmentation::kFlip: return FlipOptions{step.flip()};
    case v1::Augmentation::kCrop: return CropOptions{step.crop().padding()};
    case v1::Augmentation::kResizedCrop:
      return ResizedCropOptions{crop.min_area(), crop.max_area(), crop.min_aspect(),
                                crop.max_aspect()};
    case v1::Augmentation::kAutoAugment:
      return AutoAugmentOptions{ResolvePolicy(step.auto_augment())};
    case v1::Augmentation::kRandAugment:
      return RandAugmentOptions{rand.operations(), rand.magnitude(), rand.bins()};
    case v1::Augmentation::kCutout: return CutoutOptions{step.cutout()};
  }
  return FlipOptions{0};
}

}  // namespace

void CheckAugmentation(const v1::Dataset& dataset, Violations* violations) {
  const int steps = dataset.augmentation_size();
  violations->Require(steps <= kMostSteps, "dataset.augmentation", "must be at most 16 steps",
                      steps);
  for (int i = 0; i < steps; ++i) {
    const std::string path = absl::StrCat("dataset.augmentation[", i, "]");
    CheckStep(dataset.augmentation(i), path, violations);
    // So that what both passes see is drawn alike.
    violations->Require(
        i == 0 || !dataset.augmentation(i).every_pass() || dataset.augmentation(i - 1).every_pass(),
        absl::StrCat(path, ".every_pass"),
        "must be false after a step where it is: what every pass sees comes first");
  }
}

std::vector<AugmentationStep> ResolveAugmentation(const v1::Dataset& dataset) {
  std::vector<AugmentationStep> steps;
  for (const v1::Augmentation& step : dataset.augmentation()) {
    steps.push_back({ResolveKind(step), step.every_pass()});
  }
  return steps;
}

}  // namespace conadv
