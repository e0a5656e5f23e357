// SPDX-License-Identifier: Apache-2.0
// A file that is read here and there. Thread-safe.
#ifndef CONADV_WORKER_DATA_ENCODED_POSITIONED_FILE_H_
#define CONADV_WORKER_DATA_ENCODED_POSITIONED_FILE_H_

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace conadv {

class PositionedFile {
 public:
  virtual ~PositionedFile() = default;

  virtual uint64_t size() const = 0;  // when it was opened
  // Fills `out` with what begins at `offset`. Errors name the file; DATA_LOSS: it ends before.
  virtual absl::Status ReadAt(uint64_t offset, absl::Span<char> out) const = 0;

  // NOT_FOUND, PERMISSION_DENIED, … name the path.
  static absl::StatusOr<std::unique_ptr<PositionedFile>> Open(const std::string& path);
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_POSITIONED_FILE_H_
