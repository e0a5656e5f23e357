// SPDX-License-Identifier: Apache-2.0
// A file's bytes in order, plain or out of gzip. Owns what it reads from; used by one thread.
#ifndef CONADV_WORKER_DATA_BYTE_SOURCE_H_
#define CONADV_WORKER_DATA_BYTE_SOURCE_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace conadv {

class ByteSource {
 public:
  virtual ~ByteSource() = default;

  // The next bytes: `size` of them, or fewer at the end. INVALID_ARGUMENT: a broken gzip stream.
  virtual absl::StatusOr<size_t> Read(uint8_t* out, size_t size) = 0;
  // No more than this many bytes can be left, whatever they say of themselves.
  virtual uint64_t most_left() const = 0;
};

std::unique_ptr<ByteSource> MakePlainSource(std::string bytes);
std::unique_ptr<ByteSource> MakeGzipSource(std::string compressed);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_BYTE_SOURCE_H_
