// SPDX-License-Identifier: Apache-2.0
// A data set's files are refused with a reason that names one of them, or read whole; compressed
// files are the same data set.
//   input := flags (1 byte) bytes of labels (2 bytes, little-endian) labels images
//   flags := 1: labels are gzipped | 2: images are gzipped | 4: test set | limit in the upper bits
#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/string_view.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/gzip.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "worker/data/idx.h"

namespace conadv::fuzz {
namespace {

constexpr char kLabels[] = "dir/labels";
constexpr char kImages[] = "dir/images";

StoredFile Stored(const char* path, bool compressed, absl::string_view bytes) {
  return {std::string(path) + (compressed ? ".gz" : ""), std::string(bytes)};
}

std::string Header(uint32_t magic, const std::vector<uint64_t>& extents) {
  std::vector<uint64_t> numbers = {magic};
  numbers.insert(numbers.end(), extents.begin(), extents.end());
  std::string header;
  for (const uint64_t number : numbers) {
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(number >> shift);
  }
  return header;
}

void RequireSound(const ExampleArrays& dataset, Split split, uint64_t limit) {
  Require(dataset.examples() > 0 && dataset.image_size.bytes() > 0, "there are examples");
  Require(limit == 0 || dataset.examples() <= limit, "the limit holds");
  Require(dataset.pixels.size() == dataset.examples() * dataset.image_size.bytes(),
          "every example has its pixels");
  std::array<bool, 256> seen{};
  for (const uint8_t label : dataset.labels) {
    Require(label < dataset.classes, "labels are of the classes there are");
    seen[label] = true;
  }
  const bool all =
      std::all_of(seen.begin(), seen.begin() + dataset.classes, [](bool s) { return s; });
  Require(all || limit > 0 || split == Split::kTest, "a training set has every class");
}

// `whole` is not limited.
void RequireSameAgain(const ExampleArrays& whole, Split split) {
  const std::string labels =
      Header(0x801, {whole.examples()}) + std::string(whole.labels.begin(), whole.labels.end());
  const std::string images = Header(0x804, {whole.examples(), whole.image_size.channels,
                                            whole.image_size.height, whole.image_size.width}) +
                             std::string(whole.pixels.begin(), whole.pixels.end());
  for (const bool compressed : {false, true}) {
    const absl::StatusOr<ExampleArrays> again =
        DecodeIdx(Stored(kLabels, compressed, compressed ? Gzip(labels) : labels),
                  Stored(kImages, compressed, compressed ? Gzip(images) : images), split, 0);
    Require(again.ok(), "a data set that was read can be written", again.status().ToString());
    Require(FingerprintOf(*again) == FingerprintOf(whole), "and is the same, compressed or not");
  }
}

void TestFiles(uint8_t flags, absl::string_view labels, absl::string_view images) {
  const Split split = (flags & 4) != 0 ? Split::kTest : Split::kTrain;
  const uint64_t limit = flags >> 3;
  const StoredFile stored_labels = Stored(kLabels, (flags & 1) != 0, labels);
  const StoredFile stored_images = Stored(kImages, (flags & 2) != 0, images);

  // Deflate's best ratio is 1032, and a vector that grows keeps the old one beside it.
  constexpr size_t kZlib = size_t{128} << 10;
  const bool compressed = (flags & 3) != 0 || absl::StartsWith(labels, "\x1f\x8b") ||
                          absl::StartsWith(images, "\x1f\x8b");
  const size_t factor = compressed ? 3 * 1032 : 6;
  const AllocationMeter meter;
  const absl::StatusOr<ExampleArrays> dataset =
      DecodeIdx(stored_labels, stored_images, split, limit);
  RequireBounded(meter, kZlib + factor * (labels.size() + images.size()));

  if (!dataset.ok()) {
    RequireRefusal(dataset.status(), absl::StatusCode::kInvalidArgument,
                   labels.size() + images.size());
    Require(absl::StartsWith(dataset.status().message(), stored_labels.path + ": ") ||
                absl::StartsWith(dataset.status().message(), stored_images.path + ": "),
            "a refusal names the file", dataset.status().message());
    return;
  }
  RequireSound(*dataset, split, limit);
  const absl::StatusOr<ExampleArrays> whole = DecodeIdx(stored_labels, stored_images, split, 0);
  Require(whole.ok() && whole->classes == dataset->classes, "a limit does not change the classes");
  RequireSameAgain(*whole, split);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr size_t kHeader = 3;
  if (size < kHeader) return 0;
  const absl::string_view files(reinterpret_cast<const char*>(data + kHeader), size - kHeader);
  const size_t labels = std::min<size_t>(data[1] | data[2] << 8, files.size());
  conadv::fuzz::TestFiles(data[0], files.substr(0, labels), files.substr(labels));
  return 0;
}
