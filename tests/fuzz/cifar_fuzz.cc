// SPDX-License-Identifier: Apache-2.0
// A CIFAR file is refused with a reason that names it, or read whole.
//   input := flags (1 byte) the file, each of whose bytes stands for a run of them
//   flags := 1: of 100 classes | limit in the upper bits
#include <string>

#include "absl/strings/match.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "worker/data/cifar.h"

namespace conadv::fuzz {
namespace {

constexpr size_t kPixels = size_t{3} * 32 * 32;

// A record of two or more bytes: labels, and one that is every pixel. What is left over is broken.
std::string Unfold(const uint8_t* data, size_t size, size_t labels) {
  std::string bytes;
  size_t at = 0;
  for (; at + labels < size; at += labels + 1) {
    bytes.append(reinterpret_cast<const char*>(data) + at, labels);
    bytes.append(kPixels, static_cast<char>(data[at + labels]));
  }
  bytes.append(reinterpret_cast<const char*>(data) + at, size - at);
  return bytes;
}

void TestFile(uint8_t flags, const std::string& bytes) {
  const Cifar kind = (flags & 1) != 0 ? Cifar::k100 : Cifar::k10;
  const uint64_t limit = flags >> 1;
  const absl::StatusOr<ExampleArrays> read = DecodeCifar({{"dir/f.bin", bytes}}, kind, limit);
  if (!read.ok()) {
    RequireRefusal(read.status(), absl::StatusCode::kInvalidArgument, bytes.size());
    Require(absl::StartsWith(read.status().message(), "dir/f.bin: "), "a refusal names the file");
    return;
  }
  Require(read->examples() > 0, "there are examples");
  Require(limit == 0 || read->examples() <= limit, "the limit holds");
  Require(read->pixels.size() == read->examples() * kPixels, "every example has its pixels");
  for (const uint8_t label : read->labels) {
    Require(label < read->classes, "labels are of the classes there are");
  }
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  const size_t labels = (data[0] & 1) != 0 ? 2 : 1;
  conadv::fuzz::TestFile(data[0], conadv::fuzz::Unfold(data + 1, size - 1, labels));
  return 0;
}
