// SPDX-License-Identifier: Apache-2.0
// Operations of augmentation on one core, on three channels of CIFAR's and of ImageNet's size, a
// copy of the image included; augment_against_torchvision.py times torchvision's beside them.
#include <algorithm>
#include <cstddef>
#include <vector>

#include "benchmark/benchmark.h"
#include "common/base/random.h"
#include "worker/data/augment/operation.h"
#include "worker/data/augment/policy.h"
#include "worker/data/augment/random_crop.h"

namespace conadv::augment {
namespace {

// Changes slowly, as photographs do, with some noise.
std::vector<uint8_t> Picture(uint32_t side) {
  std::vector<uint8_t> pixels(size_t{3} * side * side);
  Random random(1, Purpose::kAugmentation);
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<uint8_t>(30 + i / side % 150 + random.Below(40));
  }
  return pixels;
}

// `apply`: of (image, scratch).
template <typename Function>
void Time(benchmark::State& state, const Function& apply) {
  const auto side = static_cast<uint32_t>(state.range(0));
  const std::vector<uint8_t> original = Picture(side);
  std::vector<uint8_t> pixels(original.size());
  std::vector<uint8_t> scratch;
  for (auto _ : state) {
    std::copy(original.begin(), original.end(), pixels.begin());
    apply(Planes{3, side, side, pixels.data()}, &scratch);
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(state.iterations());
}

void Operate(benchmark::State& state, Operation operation, double magnitude) {
  Time(state, [&](Planes image, auto* scratch) { Apply(operation, magnitude, image, scratch); });
}

template <typename Function>
void Draw(benchmark::State& state, const Function& apply) {
  Random random(1, Purpose::kAugmentation);
  Time(state, [&](Planes image, auto* scratch) { apply(&random, image, scratch); });
}

#define CONADV_SIZES ->Arg(32)->Arg(224)->Unit(benchmark::kMicrosecond)

BENCHMARK_CAPTURE(Operate, ShearX, Operation::kShearX, 0.2) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, ShearY, Operation::kShearY, 0.2) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, TranslateX, Operation::kTranslateX, 5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, TranslateY, Operation::kTranslateY, 5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Rotate, Operation::kRotate, 20) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Brightness, Operation::kBrightness, 0.5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Color, Operation::kColor, 0.5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Contrast, Operation::kContrast, 0.5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Sharpness, Operation::kSharpness, 0.5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Posterize, Operation::kPosterize, 5) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Solarize, Operation::kSolarize, 128) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, AutoContrast, Operation::kAutoContrast, 0) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Equalize, Operation::kEqualize, 0) CONADV_SIZES;
BENCHMARK_CAPTURE(Operate, Invert, Operation::kInvert, 0) CONADV_SIZES;

BENCHMARK_CAPTURE(Draw, Flip, [](Random* random, Planes image, auto* scratch) {
  RandomFlip(1, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, PadAndCrop, [](Random* random, Planes image, auto* scratch) {
  PadAndCrop(4, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, RandomResizedCrop, [](Random* random, Planes image, auto* scratch) {
  RandomResizedCrop({}, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, Cutout, [](Random* random, Planes image, auto* /*scratch*/) {
  Cutout(image.width / 2, random, image);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, AutoAugmentCifar10, [](Random* random, Planes image, auto* scratch) {
  AutoAugment(AutoAugmentPolicy::kCifar10, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, AutoAugmentImageNet, [](Random* random, Planes image, auto* scratch) {
  AutoAugment(AutoAugmentPolicy::kImageNet, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, AutoAugmentSvhn, [](Random* random, Planes image, auto* scratch) {
  AutoAugment(AutoAugmentPolicy::kSvhn, random, image, scratch);
})
CONADV_SIZES;
BENCHMARK_CAPTURE(Draw, RandAugment, [](Random* random, Planes image, auto* scratch) {
  RandAugment({}, random, image, scratch);
})
CONADV_SIZES;

#undef CONADV_SIZES

}  // namespace
}  // namespace conadv::augment
