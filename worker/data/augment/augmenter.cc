// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/augmenter.h"

#include <utility>
#include <variant>

#include "common/base/random.h"
#include "worker/data/augment/policy.h"
#include "worker/data/augment/random_crop.h"

namespace conadv::augment {
namespace {

// A stream of its own for each example: a job has no more than 2^12 slots and 2^40 steps.
Random Draws(uint64_t seed, Unit unit, uint32_t example) {
  return Random(seed, Purpose::kAugmentation, unit.slot.value() << 48 ^ unit.step.value(), example);
}

struct StepApplier {
  Random* random;
  Planes image;
  std::vector<uint8_t>* scratch;

  void operator()(const FlipOptions& flip) const {
    RandomFlip(flip.probability, random, image, scratch);
  }
  void operator()(const CropOptions& crop) const {
    PadAndCrop(crop.padding, random, image, scratch);
  }
  void operator()(const ResizedCropOptions& crop) const {
    RandomResizedCrop(crop, random, image, scratch);
  }
  void operator()(const AutoAugmentOptions& augment) const {
    AutoAugment(augment.policy, random, image, scratch);
  }
  void operator()(const RandAugmentOptions& augment) const {
    RandAugment(augment, random, image, scratch);
  }
  void operator()(const CutoutOptions& cutout) const { Cutout(cutout.length, random, image); }
};

}  // namespace

Augmenter::Augmenter(std::vector<AugmentationStep> steps, uint64_t seed)
    : steps_(std::move(steps)), seed_(seed) {}

void Augmenter::Apply(Unit unit, uint32_t example, Planes image,
                      std::vector<uint8_t>* scratch) const {
  if (image.size() == 0) return;
  Random random = Draws(seed_, unit, example);
  for (const AugmentationStep& step : steps_) {
    std::visit(StepApplier{&random, image, scratch}, step.kind);
  }
}

}  // namespace conadv::augment
