// SPDX-License-Identifier: Apache-2.0
// What worker/data/augment makes of images, for other programs:
//   augment_filter           reads requests: a line "NAME A B C D CHANNELS HEIGHT WIDTH", then the
//                            image's bytes; answers each with as many. NAME is an operation's, of
//                            magnitude A, or flip, crop (top A, left B), erase or resized_crop
//                            (top, left, height, width), or auto_augment (policy A, draws B)
//   augment_filter draws N   prints what auto_augment draws, for B from 0 to N - 1: the pair, two
//                            numbers for the probabilities, two signs
//   augment_filter tables    prints the policies, and magnitudes for a few sizes
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/base/random.h"
#include "glog/logging.h"
#include "worker/data/augment/operation.h"
#include "worker/data/augment/policy.h"
#include "worker/data/augment/transform/crop.h"

namespace conadv::augment {
namespace {

constexpr std::array<std::pair<const char*, AutoAugmentPolicy>, 3> kPolicies = {
    {{"imagenet", AutoAugmentPolicy::kImageNet},
     {"cifar10", AutoAugmentPolicy::kCifar10},
     {"svhn", AutoAugmentPolicy::kSvhn}}};

void PrintTables() {
  for (const auto& [name, policy] : kPolicies) {
    for (const Pair& pair : PairsOf(policy)) {
      std::printf("policy %s", name);
      for (const Choice& choice : pair) {
        std::printf(" %s %.9g %d", std::string(NameOf(choice.operation)).c_str(),
                    static_cast<double>(choice.probability), choice.bin);
      }
      std::printf("\n");
    }
  }
  for (const int bins : {10, 31}) {
    for (int i = 0; i < kOperations; ++i) {
      const auto operation = static_cast<Operation>(i);
      std::printf("magnitudes %d %s %d", bins, std::string(NameOf(operation)).c_str(),
                  IsSigned(operation) ? 1 : 0);
      for (int bin = 0; bin < bins; ++bin) {
        std::printf(" %.17g", MagnitudeOf(operation, bin, bins, 32, 224));
      }
      std::printf("\n");
    }
  }
}

Random Draws(uint64_t number) { return Random(1, Purpose::kAugmentation, number); }

void PrintDraws(uint64_t count) {
  for (uint64_t number = 0; number < count; ++number) {
    Random random = Draws(number);
    const auto pair = static_cast<int>(random.Below(25));
    const auto first = static_cast<double>(random.NextFloat());
    const auto second = static_cast<double>(random.NextFloat());
    const auto sign = static_cast<int>(random.Below(2));
    std::printf("%d %.9g %.9g %d %d\n", pair, first, second, sign,
                static_cast<int>(random.Below(2)));
  }
}

void Answer(const std::string& name, const std::array<double, 4>& args, Planes image,
            std::vector<uint8_t>* scratch) {
  if (const auto operation = OperationNamed(name)) {
    return Apply(*operation, args[0], image, scratch);
  }
  if (name == "auto_augment") {
    Random random = Draws(static_cast<uint64_t>(args[1]));
    return AutoAugment(kPolicies[static_cast<size_t>(args[0])].second, &random, image, scratch);
  }
  const Box box{static_cast<int32_t>(args[0]), static_cast<int32_t>(args[1]),
                static_cast<int32_t>(args[2]), static_cast<int32_t>(args[3])};
  if (name == "erase") return Erase(box, image);
  const ConstPlanes from = CopyOf(image, scratch);
  if (name == "flip") return FlipHorizontally(from, image);
  if (name == "crop") return CropAt(box.top, box.left, from, image);
  if (name == "resized_crop") return ResizedCrop(box, from, image);
  LOG(FATAL) << "no operation " << name;
}

void AnswerAll() {
  std::string name;
  std::array<double, 4> args;
  Planes image;
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> scratch;
  while (std::cin >> name >> args[0] >> args[1] >> args[2] >> args[3] >> image.channels >>
         image.height >> image.width) {
    CHECK_EQ(std::cin.get(), '\n');
    pixels.resize(image.size());
    image.pixels = pixels.data();
    const auto size = static_cast<std::streamsize>(pixels.size());
    CHECK(std::cin.read(reinterpret_cast<char*>(pixels.data()), size)) << "cut off";
    Answer(name, args, image, &scratch);
    std::cout.write(reinterpret_cast<const char*>(pixels.data()), size).flush();
  }
}

}  // namespace
}  // namespace conadv::augment

int main(int argc, char** argv) {
  if (argc > 1 && absl::string_view(argv[1]) == "tables") {
    conadv::augment::PrintTables();
  } else if (argc > 2 && absl::string_view(argv[1]) == "draws") {
    conadv::augment::PrintDraws(std::strtoull(argv[2], nullptr, 10));
  } else {
    std::ios::sync_with_stdio(false);
    conadv::augment::AnswerAll();
  }
  return 0;
}
