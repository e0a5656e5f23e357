// SPDX-License-Identifier: Apache-2.0
// A file that is a text in memory. Thread-safe.
#ifndef CONADV_TESTS_WORKER_DATA_MEMORY_FILE_H_
#define CONADV_TESTS_WORKER_DATA_MEMORY_FILE_H_

#include <cstring>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/types/span.h"
#include "worker/data/encoded/positioned_file.h"

namespace conadv {

class MemoryFile final : public PositionedFile {
 public:
  explicit MemoryFile(std::string bytes) : bytes_(std::move(bytes)) {}

  uint64_t size() const override { return bytes_.size(); }
  absl::Status ReadAt(uint64_t offset, absl::Span<char> out) const override {
    if (offset > size() || out.size() > size() - offset) {
      return absl::InternalError("reads past the end");
    }
    if (!out.empty()) std::memcpy(out.data(), bytes_.data() + offset, out.size());
    return absl::OkStatus();
  }

 private:
  const std::string bytes_;
};

}  // namespace conadv

#endif  // CONADV_TESTS_WORKER_DATA_MEMORY_FILE_H_
