// SPDX-License-Identifier: Apache-2.0
// NumPy's file of one array (numpy.lib.format, versions 1.0 to 3.0): what comes before the values.
//   file   := magic "\x93NUMPY" major (1 byte) minor (1 byte) length (2 bytes, from version 2 on 4,
//             little-endian) header values
//   header := {'descr': '|u1', 'fortran_order': False, 'shape': (50000, 32, 32, 3), } spaces
// Pure functions.
#ifndef CONADV_WORKER_DATA_CORRUPTION_NPY_H_
#define CONADV_WORKER_DATA_CORRUPTION_NPY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace conadv {

enum class NpyType { kUint8, kInt32, kInt64 };

struct NpyHeader {
  NpyType type = NpyType::kUint8;
  std::vector<uint64_t> shape;
  uint64_t offset = 0;  // of the first value; C order

  uint64_t values() const;  // their number
};

size_t SizeOf(NpyType type);  // bytes of a value

// As much of a file's beginning as the header may need.
inline constexpr size_t kMostNpyHeader = 16384;

// `beginning`: the file's first bytes, kMostNpyHeader of them or all. INVALID_ARGUMENT says what is
// wrong: no such file, another type of values, Fortran's order, or a size that is not what the
// header says.
absl::StatusOr<NpyHeader> DecodeNpyHeader(absl::string_view beginning, uint64_t file_size);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_CORRUPTION_NPY_H_
