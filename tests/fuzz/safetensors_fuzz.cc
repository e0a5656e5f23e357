// SPDX-License-Identifier: Apache-2.0
// A safetensors file is refused with a reason, or read whole, within its bytes, and written again
// with nothing lost.
//   input := the file
#include <cstring>
#include <set>
#include <string>

#include "common/tensor/safetensors.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"

namespace conadv::fuzz {
namespace {

// Bit for bit: NaN too.
bool SameBits(absl::Span<const float> a, absl::Span<const float> b) {
  return a.size() == b.size() &&
         (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0);
}

void RequireSound(const SafetensorsFile& file) {
  const char* const begin = file.bytes.data();
  const char* const end = begin + file.bytes.size();
  std::set<std::string> names;
  for (const NamedTensor& tensor : file.tensors) {
    Require(names.insert(tensor.name).second, "names differ", tensor.name);
    uint64_t size = 1;
    bool fits = true;
    for (const uint64_t extent : tensor.shape) {
      fits = fits && !__builtin_mul_overflow(size, extent, &size);
    }
    Require(fits && size == tensor.values.size(), "there are as many values as the shape says",
            tensor.name);
    const auto* const first = reinterpret_cast<const char*>(tensor.values.data());
    const auto* const last = reinterpret_cast<const char*>(tensor.values.end());
    Require(begin <= first && first <= last && last <= end, "values lie within the bytes",
            tensor.name);
    Require(reinterpret_cast<uintptr_t>(first) % alignof(float) == 0, "values are aligned",
            tensor.name);
  }
}

void RequireEncodesAgain(const SafetensorsFile& file) {
  const absl::StatusOr<SafetensorsFile> again =
      DecodeSafetensors(EncodeSafetensors(file.tensors, file.metadata));
  Require(again.ok(), "what was read can be written", again.status().ToString());
  Require(again->metadata == file.metadata, "metadata is written as it was read");
  Require(again->tensors.size() == file.tensors.size(), "every tensor is written");
  for (size_t i = 0; i < file.tensors.size(); ++i) {
    const NamedTensor& before = file.tensors[i];
    const NamedTensor& after = again->tensors[i];
    Require(before.name == after.name && before.shape == after.shape &&
                SameBits(before.values, after.values),
            "tensors are written as they were read", before.name);
  }
}

void TestFile(const std::string& bytes) {
  const AllocationMeter meter;
  const absl::StatusOr<SafetensorsFile> file = DecodeSafetensors(bytes);
  RequireBounded(meter, 16384 + 32 * bytes.size());
  if (!file.ok()) {
    return RequireRefusal(file.status(), absl::StatusCode::kInvalidArgument, bytes.size());
  }
  RequireSound(*file);
  RequireEncodesAgain(*file);
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::TestFile({reinterpret_cast<const char*>(data), size});
  return 0;
}
