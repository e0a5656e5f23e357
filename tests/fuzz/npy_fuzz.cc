// SPDX-License-Identifier: Apache-2.0
// What comes before an array's values is refused with a reason, or says where they lie in the file,
// all of them; and the same header written by NumPy's rules is read the same.
//   input := the file
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/base/little_endian.h"
#include "tests/fuzz/allocation.h"
#include "tests/fuzz/property.h"
#include "tests/fuzz/target.h"
#include "worker/data/corruption/npy.h"

namespace conadv::fuzz {
namespace {

std::string Written(const NpyHeader& header) {
  const char* const type = header.type == NpyType::kUint8   ? "|u1"
                           : header.type == NpyType::kInt32 ? "<i4"
                                                            : "<i8";
  const std::string text =
      absl::StrCat("{'descr': '", type, "', 'fortran_order': False, 'shape': (",
                   absl::StrJoin(header.shape, ", "), ",), }\n");
  return absl::StrCat(absl::string_view("\x93NUMPY\x01\x00", 8), LittleEndian(text.size(), 2),
                      text);
}

void TestFile(absl::string_view bytes) {
  // The shape, and the words of a refusal.
  const AllocationMeter meter;
  const absl::StatusOr<NpyHeader> header =
      DecodeNpyHeader(bytes.substr(0, kMostNpyHeader), bytes.size());
  RequireBounded(meter, size_t{8} << 10);
  if (!header.ok()) {
    RequireRefusal(header.status(), absl::StatusCode::kInvalidArgument, bytes.size());
    return;
  }
  Require(header->offset <= bytes.size(), "the values begin in the file");
  Require(header->values() * SizeOf(header->type) == bytes.size() - header->offset,
          "they fill the rest of it");
  if (header->shape.empty()) return;
  const std::string written = Written(*header);
  const absl::StatusOr<NpyHeader> again =
      DecodeNpyHeader(written, written.size() + bytes.size() - header->offset);
  Require(again.ok(), "a header that was read can be written", again.status().ToString());
  Require(again->shape == header->shape && again->type == header->type, "and is the same");
}

}  // namespace
}  // namespace conadv::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  conadv::fuzz::TestFile(absl::string_view(reinterpret_cast<const char*>(data), size));
  return 0;
}
