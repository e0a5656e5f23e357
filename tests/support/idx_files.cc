// SPDX-License-Identifier: Apache-2.0
#include "tests/support/idx_files.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/base/random.h"
#include "common/base/status_macros.h"
#include "common/os/file.h"

namespace conadv {
namespace {

std::string IdxHeader(const std::vector<uint32_t>& extents) {
  std::string header = {0, 0, 8, static_cast<char>(extents.size())};
  for (const uint32_t extent : extents) {
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(extent >> shift);
  }
  return header;
}

// Between -1 and 1.
double Jitter(Random* random) { return 2.0 * random->NextFloat() - 1.0; }

void AppendImage(const SyntheticOptions& options, uint32_t label, Random* random,
                 std::string* images) {
  constexpr double kTurn = 6.283185307179586;
  constexpr double kNoise = 24;
  const double angle = kTurn * label / options.classes;
  const double row = 0.5 * (options.height - 1) + 0.3 * options.height * std::sin(angle);
  const double column = 0.5 * (options.width - 1) + 0.3 * options.width * std::cos(angle);
  const double centre_row = row + Jitter(random);
  const double centre_column = column + Jitter(random);
  const double radius = std::max(1.0, 0.1 * std::min(options.height, options.width));
  for (uint32_t y = 0; y < options.height; ++y) {
    for (uint32_t x = 0; x < options.width; ++x) {
      const double distance = std::hypot(y - centre_row, x - centre_column) / radius;
      const double blob = 220 * std::max(0.0, 1 - distance / 2);
      const double value = blob + kNoise * random->NextFloat();
      images->push_back(static_cast<char>(static_cast<uint8_t>(std::min(255.0, value))));
    }
  }
}

absl::Status WriteSplit(const std::string& prefix, uint32_t examples, uint32_t split,
                        const SyntheticOptions& options) {
  std::string images = IdxHeader({examples, options.height, options.width});
  std::string labels = IdxHeader({examples});
  for (uint32_t i = 0; i < examples; ++i) {
    Random random(options.seed, Purpose::kAugmentation, i, split);
    const uint32_t label = i % options.classes;
    labels.push_back(static_cast<char>(label));
    AppendImage(options, label, &random, &images);
  }
  CONADV_RETURN_IF_ERROR(
      FileSystem::Real().WriteAtomically(absl::StrCat(prefix, "-images-idx3-ubyte"), images));
  return FileSystem::Real().WriteAtomically(absl::StrCat(prefix, "-labels-idx1-ubyte"), labels);
}

}  // namespace

absl::Status WriteSyntheticIdx(const std::string& directory, const SyntheticOptions& options) {
  CONADV_RETURN_IF_ERROR(FileSystem::Real().MakeDirectories(directory));
  CONADV_RETURN_IF_ERROR(WriteSplit(directory + "/train", options.train, 0, options));
  return WriteSplit(directory + "/t10k", options.test, 1, options);
}

}  // namespace conadv
