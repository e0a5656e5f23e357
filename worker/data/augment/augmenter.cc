// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/augmenter.h"

#include <algorithm>
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
    : steps_(std::move(steps)),
      shared_(static_cast<size_t>(
          std::count_if(steps_.begin(), steps_.end(),
                        [](const AugmentationStep& step) { return step.every_pass; }))),
      seed_(seed) {}

void Augmenter::Run(size_t begin, size_t end, Random* random, Planes image,
                    std::vector<uint8_t>* scratch) const {
  for (size_t i = begin; i < end; ++i) {
    std::visit(StepApplier{random, image, scratch}, steps_[i].kind);
  }
}

void Augmenter::Apply(Unit unit, uint32_t example, Planes image,
                      std::vector<uint8_t>* scratch) const {
  if (image.size() == 0) return;
  Random random = Draws(seed_, unit, example);
  Run(0, steps_.size(), &random, image, scratch);
}

void Augmenter::ApplyApart(Unit unit, uint32_t example, Planes image, Planes augmented,
                           std::vector<uint8_t>* scratch) const {
  if (image.size() == 0) return;
  Random random = Draws(seed_, unit, example);
  Run(0, shared_, &random, image, scratch);
  std::copy_n(image.pixels, image.size(), augmented.pixels);
  Run(shared_, steps_.size(), &random, augmented, scratch);
}

}  // namespace conadv::augment
