// SPDX-License-Identifier: Apache-2.0
// The safetensors format (https://github.com/huggingface/safetensors, "Format"): 8-byte
// little-endian header length, JSON header, then the tensors' bytes without gaps. float32 only.
// Pure functions.
#ifndef CONADV_COMMON_TENSOR_SAFETENSORS_H_
#define CONADV_COMMON_TENSOR_SAFETENSORS_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace conadv {

struct NamedTensor {
  std::string name;
  std::vector<uint64_t> shape;
  absl::Span<const float> values;  // REQUIRES: as many as the shape says
};

// The bytes of a file, in the order given. Metadata becomes "__metadata__".
std::string EncodeSafetensors(absl::Span<const NamedTensor> tensors,
                              const std::map<std::string, std::string>& metadata);

// What comes before the tensors' values in those bytes: for writers that do not copy the values.
std::string EncodeSafetensorsHeader(absl::Span<const NamedTensor> tensors,
                                    const std::map<std::string, std::string>& metadata);

// Moves, but does not copy: the tensors point into it.
struct SafetensorsFile {
  SafetensorsFile() = default;
  SafetensorsFile(SafetensorsFile&&) = default;
  SafetensorsFile& operator=(SafetensorsFile&&) = default;

  std::string bytes;                 // what `tensors` point into
  std::vector<NamedTensor> tensors;  // in the data's order
  std::map<std::string, std::string> metadata;
};

// INVALID_ARGUMENT says what is wrong (truncated, overlapping, a gap, another dtype, a header over
// 100 MB, …) and never reads past the bytes. Values are aligned to 4 bytes.
absl::StatusOr<SafetensorsFile> DecodeSafetensors(std::string bytes);

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_SAFETENSORS_H_
