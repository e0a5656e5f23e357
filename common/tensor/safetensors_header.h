// SPDX-License-Identifier: Apache-2.0
// The JSON header of a safetensors file, as it says, with nothing checked against the data yet.
// Pure functions.
#ifndef CONADV_COMMON_TENSOR_SAFETENSORS_HEADER_H_
#define CONADV_COMMON_TENSOR_SAFETENSORS_HEADER_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

struct SafetensorsHeader {
  struct Entry {
    std::string name;
    std::string dtype;
    std::vector<uint64_t> shape;
    std::vector<uint64_t> data_offsets;
  };
  std::vector<Entry> entries;  // in the header's order; names differ
  std::map<std::string, std::string> metadata;
};

// header := {"__metadata__": {string: string, …}, name: {"dtype": string, "shape": [whole, …],
//            "data_offsets": [whole, whole]}, …}
// INVALID_ARGUMENT for anything else: duplicate, unknown or missing keys, other types, deeper
// nesting, numbers that are negative or do not fit 64 bits. Stops at the first such thing, so
// memory is bounded by a small multiple of `json`.
absl::StatusOr<SafetensorsHeader> ParseSafetensorsHeader(absl::string_view json);

}  // namespace conadv

#endif  // CONADV_COMMON_TENSOR_SAFETENSORS_HEADER_H_
