// SPDX-License-Identifier: Apache-2.0
// The steps of dataset.augmentation, as job.proto describes them. Plain values.
#ifndef CONADV_COMMON_JOB_AUGMENTATION_H_
#define CONADV_COMMON_JOB_AUGMENTATION_H_

#include <cstdint>
#include <variant>

namespace conadv {

struct FlipOptions {
  float probability = 0.5;
};

struct CropOptions {
  uint32_t padding = 4;
};

// Shares of the image's area, and width / height. 0 < least <= most.
struct ResizedCropOptions {
  double least_area = 0.08;
  double most_area = 1;
  double least_aspect = 3.0 / 4;
  double most_aspect = 4.0 / 3;
};

enum class AutoAugmentPolicy { kImageNet, kCifar10, kSvhn };

struct AutoAugmentOptions {
  AutoAugmentPolicy policy = AutoAugmentPolicy::kImageNet;
};

struct RandAugmentOptions {
  uint32_t operations = 2;
  uint32_t magnitude = 9;  // < bins
  uint32_t bins = 31;
};

struct CutoutOptions {
  uint32_t length = 0;
};

struct AugmentationStep {
  std::variant<FlipOptions, CropOptions, ResizedCropOptions, AutoAugmentOptions, RandAugmentOptions,
               CutoutOptions>
      kind;
  // Not only for the augmented pass, where there is one.
  bool every_pass = false;
};

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_AUGMENTATION_H_
