// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/policy.h"

#include <cstddef>

#include "glog/logging.h"

namespace conadv::augment {
namespace {

constexpr Operation kShearX = Operation::kShearX;
constexpr Operation kShearY = Operation::kShearY;
constexpr Operation kTranslateX = Operation::kTranslateX;
constexpr Operation kTranslateY = Operation::kTranslateY;
constexpr Operation kRotate = Operation::kRotate;
constexpr Operation kBrightness = Operation::kBrightness;
constexpr Operation kColor = Operation::kColor;
constexpr Operation kContrast = Operation::kContrast;
constexpr Operation kSharpness = Operation::kSharpness;
constexpr Operation kPosterize = Operation::kPosterize;
constexpr Operation kSolarize = Operation::kSolarize;
constexpr Operation kAutoContrast = Operation::kAutoContrast;
constexpr Operation kEqualize = Operation::kEqualize;
constexpr Operation kInvert = Operation::kInvert;

// The pairs of arXiv 1805.09501's appendix, as torchvision 0.14's AutoAugment._get_policies() lists
// them: operation, probability, bin of the magnitude.

constexpr std::array<Pair, 25> kImageNet = {{
    {{{kPosterize, 0.4F, 8}, {kRotate, 0.6F, 9}}},
    {{{kSolarize, 0.6F, 5}, {kAutoContrast, 0.6F, 0}}},
    {{{kEqualize, 0.8F, 0}, {kEqualize, 0.6F, 0}}},
    {{{kPosterize, 0.6F, 7}, {kPosterize, 0.6F, 6}}},
    {{{kEqualize, 0.4F, 0}, {kSolarize, 0.2F, 4}}},
    {{{kEqualize, 0.4F, 0}, {kRotate, 0.8F, 8}}},
    {{{kSolarize, 0.6F, 3}, {kEqualize, 0.6F, 0}}},
    {{{kPosterize, 0.8F, 5}, {kEqualize, 1, 0}}},
    {{{kRotate, 0.2F, 3}, {kSolarize, 0.6F, 8}}},
    {{{kEqualize, 0.6F, 0}, {kPosterize, 0.4F, 6}}},
    {{{kRotate, 0.8F, 8}, {kColor, 0.4F, 0}}},
    {{{kRotate, 0.4F, 9}, {kEqualize, 0.6F, 0}}},
    {{{kEqualize, 0, 0}, {kEqualize, 0.8F, 0}}},
    {{{kInvert, 0.6F, 0}, {kEqualize, 1, 0}}},
    {{{kColor, 0.6F, 4}, {kContrast, 1, 8}}},
    {{{kRotate, 0.8F, 8}, {kColor, 1, 2}}},
    {{{kColor, 0.8F, 8}, {kSolarize, 0.8F, 7}}},
    {{{kSharpness, 0.4F, 7}, {kInvert, 0.6F, 0}}},
    {{{kShearX, 0.6F, 5}, {kEqualize, 1, 0}}},
    {{{kColor, 0.4F, 0}, {kEqualize, 0.6F, 0}}},
    {{{kEqualize, 0.4F, 0}, {kSolarize, 0.2F, 4}}},
    {{{kSolarize, 0.6F, 5}, {kAutoContrast, 0.6F, 0}}},
    {{{kInvert, 0.6F, 0}, {kEqualize, 1, 0}}},
    {{{kColor, 0.6F, 4}, {kContrast, 1, 8}}},
    {{{kEqualize, 0.8F, 0}, {kEqualize, 0.6F, 0}}},
}};

constexpr std::array<Pair, 25> kCifar10 = {{
    {{{kInvert, 0.1F, 0}, {kContrast, 0.2F, 6}}},
    {{{kRotate, 0.7F, 2}, {kTranslateX, 0.3F, 9}}},
    {{{kSharpness, 0.8F, 1}, {kSharpness, 0.9F, 3}}},
    {{{kShearY, 0.5F, 8}, {kTranslateY, 0.7F, 9}}},
    {{{kAutoContrast, 0.5F, 0}, {kEqualize, 0.9F, 0}}},
    {{{kShearY, 0.2F, 7}, {kPosterize, 0.3F, 7}}},
    {{{kColor, 0.4F, 3}, {kBrightness, 0.6F, 7}}},
    {{{kSharpness, 0.3F, 9}, {kBrightness, 0.7F, 9}}},
    {{{kEqualize, 0.6F, 0}, {kEqualize, 0.5F, 0}}},
    {{{kContrast, 0.6F, 7}, {kSharpness, 0.6F, 5}}},
    {{{kColor, 0.7F, 7}, {kTranslateX, 0.5F, 8}}},
    {{{kEqualize, 0.3F, 0}, {kAutoContrast, 0.4F, 0}}},
    {{{kTranslateY, 0.4F, 3}, {kSharpness, 0.2F, 6}}},
    {{{kBrightness, 0.9F, 6}, {kColor, 0.2F, 8}}},
    {{{kSolarize, 0.5F, 2}, {kInvert, 0, 0}}},
    {{{kEqualize, 0.2F, 0}, {kAutoContrast, 0.6F, 0}}},
    {{{kEqualize, 0.2F, 0}, {kEqualize, 0.6F, 0}}},
    {{{kColor, 0.9F, 9}, {kEqualize, 0.6F, 0}}},
    {{{kAutoContrast, 0.8F, 0}, {kSolarize, 0.2F, 8}}},
    {{{kBrightness, 0.1F, 3}, {kColor, 0.7F, 0}}},
    {{{kSolarize, 0.4F, 5}, {kAutoContrast, 0.9F, 0}}},
    {{{kTranslateY, 0.9F, 9}, {kTranslateY, 0.7F, 9}}},
    {{{kAutoContrast, 0.9F, 0}, {kSolarize, 0.8F, 3}}},
    {{{kEqualize, 0.8F, 0}, {kInvert, 0.1F, 0}}},
    {{{kTranslateY, 0.7F, 9}, {kAutoContrast, 0.9F, 0}}},
}};

constexpr std::array<Pair, 25> kSvhn = {{
    {{{kShearX, 0.9F, 4}, {kInvert, 0.2F, 0}}},
    {{{kShearY, 0.9F, 8}, {kInvert, 0.7F, 0}}},
    {{{kEqualize, 0.6F, 0}, {kSolarize, 0.6F, 6}}},
    {{{kInvert, 0.9F, 0}, {kEqualize, 0.6F, 0}}},
    {{{kEqualize, 0.6F, 0}, {kRotate, 0.9F, 3}}},
    {{{kShearX, 0.9F, 4}, {kAutoContrast, 0.8F, 0}}},
    {{{kShearY, 0.9F, 8}, {kInvert, 0.4F, 0}}},
    {{{kShearY, 0.9F, 5}, {kSolarize, 0.2F, 6}}},
    {{{kInvert, 0.9F, 0}, {kAutoContrast, 0.8F, 0}}},
    {{{kEqualize, 0.6F, 0}, {kRotate, 0.9F, 3}}},
    {{{kShearX, 0.9F, 4}, {kSolarize, 0.3F, 3}}},
    {{{kShearY, 0.8F, 8}, {kInvert, 0.7F, 0}}},
    {{{kEqualize, 0.9F, 0}, {kTranslateY, 0.6F, 6}}},
    {{{kInvert, 0.9F, 0}, {kEqualize, 0.6F, 0}}},
    {{{kContrast, 0.3F, 3}, {kRotate, 0.8F, 4}}},
    {{{kInvert, 0.8F, 0}, {kTranslateY, 0, 2}}},
    {{{kShearY, 0.7F, 6}, {kSolarize, 0.4F, 8}}},
    {{{kInvert, 0.6F, 0}, {kRotate, 0.8F, 4}}},
    {{{kShearY, 0.3F, 7}, {kTranslateX, 0.9F, 3}}},
    {{{kShearX, 0.1F, 6}, {kInvert, 0.6F, 0}}},
    {{{kSolarize, 0.7F, 2}, {kTranslateY, 0.6F, 7}}},
    {{{kShearY, 0.8F, 4}, {kInvert, 0.8F, 0}}},
    {{{kShearX, 0.7F, 9}, {kTranslateY, 0.8F, 3}}},
    {{{kShearY, 0.8F, 5}, {kAutoContrast, 0.7F, 0}}},
    {{{kShearX, 0.7F, 2}, {kInvert, 0.1F, 0}}},
}};

double Signed(Operation operation, double magnitude, bool negative) {
  return negative && IsSigned(operation) ? -magnitude : magnitude;
}

}  // namespace

absl::Span<const Pair> PairsOf(AutoAugmentPolicy policy) {
  switch (policy) {
    case AutoAugmentPolicy::kImageNet: return kImageNet;
    case AutoAugmentPolicy::kCifar10: return kCifar10;
    case AutoAugmentPolicy::kSvhn: return kSvhn;
  }
  LOG(FATAL) << "no policy " << static_cast<int>(policy);
}

void AutoAugment(AutoAugmentPolicy policy, Random* random, Planes image,
                 std::vector<uint8_t>* scratch) {
  const absl::Span<const Pair> pairs = PairsOf(policy);
  const Pair& pair = pairs[random->Below(pairs.size())];
  std::array<float, 2> draws;
  for (float& draw : draws) draw = random->NextFloat();
  std::array<bool, 2> negative;
  for (bool& sign : negative) sign = random->Below(2) == 0;
  for (size_t i = 0; i < pair.size(); ++i) {
    const Choice& choice = pair[i];
    if (draws[i] >= choice.probability) continue;
    const double magnitude =
        MagnitudeOf(choice.operation, choice.bin, kAutoAugmentBins, image.height, image.width);
    Apply(choice.operation, Signed(choice.operation, magnitude, negative[i]), image, scratch);
  }
}

void RandAugment(const RandAugmentOptions& options, Random* random, Planes image,
                 std::vector<uint8_t>* scratch) {
  // All but the last one.
  static_assert(static_cast<int>(Operation::kInvert) == kOperations - 1);
  for (uint32_t i = 0; i < options.operations; ++i) {
    const auto operation = static_cast<Operation>(random->Below(kOperations - 1));
    const bool negative = random->Below(2) == 0;
    const double magnitude = MagnitudeOf(operation, static_cast<int>(options.magnitude),
                                         static_cast<int>(options.bins), image.height, image.width);
    Apply(operation, Signed(operation, magnitude, negative), image, scratch);
  }
}

}  // namespace conadv::augment
