// SPDX-License-Identifier: Apache-2.0
// The operations that policies of augmentation choose from (Cubuk et al., arXiv 1805.09501, table
// 6), with the meaning and the strengths that torchvision 0.14's transforms.autoaugment gives them.
// Pure functions; thread-safe.
#ifndef CONADV_WORKER_DATA_AUGMENT_OPERATION_H_
#define CONADV_WORKER_DATA_AUGMENT_OPERATION_H_

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/strings/string_view.h"
#include "worker/data/augment/transform/planes.h"

namespace conadv::augment {

// The first fourteen are RandAugment's, in torchvision's order.
enum class Operation : uint8_t {
  kIdentity,
  kShearX,
  kShearY,
  kTranslateX,
  kTranslateY,
  kRotate,
  kBrightness,
  kColor,
  kContrast,
  kSharpness,
  kPosterize,
  kSolarize,
  kAutoContrast,
  kEqualize,
  kInvert,
};
constexpr int kOperations = 15;

// As the papers spell it: "ShearX".
absl::string_view NameOf(Operation operation);
std::optional<Operation> OperationNamed(absl::string_view name);

// Whether its magnitude may be negative as well.
bool IsSigned(Operation operation);

// The magnitude in bin `bin` of `bins`, from the weakest to the strongest, for an image of that
// size; 0 where there are no degrees. REQUIRES: 0 <= bin < bins, bins >= 2.
double MagnitudeOf(Operation operation, int bin, int bins, uint32_t height, uint32_t width);

// Applies it in place. Magnitudes: a shear's share, pixels to the right or down (cut off to a whole
// number), degrees counter-clockwise, what is added to a factor of 1, bits that stay, the least
// value that is inverted. Identity and what has no degrees ignore it. `scratch` is for a copy of
// the image, so that nothing is allocated for each of them.
void Apply(Operation operation, double magnitude, Planes image, std::vector<uint8_t>* scratch);

}  // namespace conadv::augment

#endif  // CONADV_WORKER_DATA_AUGMENT_OPERATION_H_
