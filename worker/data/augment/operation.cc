// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/operation.h"

#include <cmath>
#include <cstddef>

#include "glog/logging.h"
#include "worker/data/augment/transform/affine.h"
#include "worker/data/augment/transform/colour.h"
#include "worker/data/augment/transform/sharpness.h"

namespace conadv::augment {
namespace {

// What a magnitude's end is a multiple of.
enum class Unit : uint8_t { kNone, kOne, kWidth, kHeight, kBits };

struct Row {
  absl::string_view name;
  Unit unit = Unit::kNone;
  float weakest = 0;
  double strongest = 0;
  bool is_signed = false;
};

// In the order of Operation; from torchvision 0.14's AutoAugment._augmentation_space().
constexpr std::array<Row, kOperations> kTable = {{
    {"Identity"},
    {"ShearX", Unit::kOne, 0, 0.3, true},
    {"ShearY", Unit::kOne, 0, 0.3, true},
    {"TranslateX", Unit::kWidth, 0, 150.0 / 331.0, true},
    {"TranslateY", Unit::kHeight, 0, 150.0 / 331.0, true},
    {"Rotate", Unit::kOne, 0, 30, true},
    {"Brightness", Unit::kOne, 0, 0.9, true},
    {"Color", Unit::kOne, 0, 0.9, true},
    {"Contrast", Unit::kOne, 0, 0.9, true},
    {"Sharpness", Unit::kOne, 0, 0.9, true},
    {"Posterize", Unit::kBits, 8, 4, false},
    {"Solarize", Unit::kOne, 255, 0, false},
    {"AutoContrast"},
    {"Equalize"},
    {"Invert"},
}};

const Row& RowOf(Operation operation) { return kTable[static_cast<size_t>(operation)]; }

// In float32, each half from its own end, as torch.linspace() does it without vectors.
float Evenly(float first, float last, int at, int count) {
  const float step = (last - first) / static_cast<float>(count - 1);
  if (at < count / 2) return first + step * static_cast<float>(at);
  return last - step * static_cast<float>(count - at - 1);
}

}  // namespace

absl::string_view NameOf(Operation operation) { return RowOf(operation).name; }

std::optional<Operation> OperationNamed(absl::string_view name) {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (kTable[i].name == name) return static_cast<Operation>(i);
  }
  return std::nullopt;
}

bool IsSigned(Operation operation) { return RowOf(operation).is_signed; }

double MagnitudeOf(Operation operation, int bin, int bins, uint32_t height, uint32_t width) {
  CHECK(bins >= 2 && bin >= 0 && bin < bins) << "bin " << bin << " of " << bins;
  const Row& row = RowOf(operation);
  double strongest = row.strongest;
  switch (row.unit) {
    case Unit::kNone: return 0;
    case Unit::kOne: break;
    case Unit::kWidth: strongest *= width; break;
    case Unit::kHeight: strongest *= height; break;
    case Unit::kBits:
      // A whole number, to the nearest even.
      return row.weakest -
             std::nearbyint(static_cast<float>(bin) / (static_cast<float>(bins - 1) / 4.0F));
  }
  return Evenly(row.weakest, static_cast<float>(strongest), bin, bins);
}

void Apply(Operation operation, double magnitude, Planes image, std::vector<uint8_t>* scratch) {
  switch (operation) {
    case Operation::kIdentity: return;
    case Operation::kShearX:
      return Transform(ShearX(magnitude, image.height), CopyOf(image, scratch), image);
    case Operation::kShearY:
      return Transform(ShearY(magnitude, image.width), CopyOf(image, scratch), image);
    case Operation::kTranslateX:
      return Transform(TranslateBy(std::trunc(magnitude), 0), CopyOf(image, scratch), image);
    case Operation::kTranslateY:
      return Transform(TranslateBy(0, std::trunc(magnitude)), CopyOf(image, scratch), image);
    case Operation::kRotate: return Transform(RotateBy(magnitude), CopyOf(image, scratch), image);
    case Operation::kBrightness: return AdjustBrightness(1.0 + magnitude, image);
    case Operation::kColor: return AdjustSaturation(1.0 + magnitude, image);
    case Operation::kContrast: return AdjustContrast(1.0 + magnitude, image);
    case Operation::kSharpness:
      return AdjustSharpness(1.0 + magnitude, CopyOf(image, scratch), image);
    case Operation::kPosterize: return Posterize(static_cast<int>(magnitude), image);
    case Operation::kSolarize: return Solarize(magnitude, image);
    case Operation::kAutoContrast: return AutoContrast(image);
    case Operation::kEqualize: return Equalize(image);
    case Operation::kInvert: return Invert(image);
  }
}

}  // namespace conadv::augment
