// SPDX-License-Identifier: Apache-2.0
#include "worker/data/augment/random_crop.h"

#include <algorithm>
#include <cmath>

namespace conadv::augment {
namespace {

double Between(double least, double most, Random* random) {
  return least + (most - least) * static_cast<double>(random->NextFloat());
}

int32_t Below(uint64_t end, Random* random) { return static_cast<int32_t>(random->Below(end)); }

int32_t Nearest(double value) { return static_cast<int32_t>(std::nearbyint(value)); }

// The largest in the middle.
Box MiddleBox(const ResizedCropOptions& options, int32_t height, int32_t width) {
  const double aspect = static_cast<double>(width) / height;
  Box box{0, 0, height, width};
  if (aspect < options.least_aspect) box.height = Nearest(width / options.least_aspect);
  if (aspect > options.most_aspect) box.width = Nearest(height * options.most_aspect);
  box.height = std::clamp(box.height, 1, height);
  box.width = std::clamp(box.width, 1, width);
  box.top = (height - box.height) / 2;
  box.left = (width - box.width) / 2;
  return box;
}

}  // namespace

void RandomFlip(float probability, Random* random, Planes image, std::vector<uint8_t>* scratch) {
  if (random->NextFloat() >= probability) return;
  FlipHorizontally(CopyOf(image, scratch), image);
}

void PadAndCrop(uint32_t padding, Random* random, Planes image, std::vector<uint8_t>* scratch) {
  const uint64_t places = uint64_t{2} * padding + 1;
  const int32_t top = Below(places, random) - static_cast<int32_t>(padding);
  const int32_t left = Below(places, random) - static_cast<int32_t>(padding);
  CropAt(top, left, CopyOf(image, scratch), image);
}

void Cutout(uint32_t length, Random* random, Planes image) {
  const auto side = static_cast<int32_t>(length);
  Box box{0, 0, side, side};
  box.top = Below(image.height, random) - side / 2;
  box.left = Below(image.width, random) - side / 2;
  Erase(box, image);
}

Box DrawBox(const ResizedCropOptions& options, uint32_t height, uint32_t width, Random* random) {
  const double area = static_cast<double>(height) * width;
  const double least = std::log(options.least_aspect);
  const double most = std::log(options.most_aspect);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double part = area * Between(options.least_area, options.most_area, random);
    const double aspect = std::exp(Between(least, most, random));
    Box box;
    box.width = Nearest(std::sqrt(part * aspect));
    box.height = Nearest(std::sqrt(part / aspect));
    if (box.width < 1 || box.height < 1) continue;
    if (box.width > static_cast<int64_t>(width) || box.height > static_cast<int64_t>(height)) {
      continue;
    }
    box.top = Below(height - static_cast<uint32_t>(box.height) + 1, random);
    box.left = Below(width - static_cast<uint32_t>(box.width) + 1, random);
    return box;
  }
  return MiddleBox(options, static_cast<int32_t>(height), static_cast<int32_t>(width));
}

void RandomResizedCrop(const ResizedCropOptions& options, Random* random, Planes image,
                       std::vector<uint8_t>* scratch) {
  const Box box = DrawBox(options, image.height, image.width, random);
  ResizedCrop(box, CopyOf(image, scratch), image);
}

}  // namespace conadv::augment
