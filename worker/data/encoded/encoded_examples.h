// SPDX-License-Identifier: Apache-2.0
// The labelled images of one split as they are stored, numbered but not decoded. Immutable and
// thread-safe.
#ifndef CONADV_WORKER_DATA_ENCODED_ENCODED_EXAMPLES_H_
#define CONADV_WORKER_DATA_ENCODED_ENCODED_EXAMPLES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace conadv {

class EncodedExamples {
 public:
  virtual ~EncodedExamples() = default;

  virtual uint64_t examples() const = 0;  // at least 1
  virtual uint32_t classes() const = 0;   // labels are 0 … classes − 1
  // One for each class, or none.
  virtual const std::vector<std::string>& class_names() const = 0;
  // Of names or keys, sizes and labels, in the order of the examples; reads no image.
  virtual uint32_t Fingerprint() const = 0;

  // The rest REQUIRES index < examples(). Where it is stored, for messages.
  virtual std::string Name(uint64_t index) const = 0;
  virtual int64_t Label(uint64_t index) const = 0;
  // The image's file. Errors name it.
  virtual absl::StatusOr<std::string> Read(uint64_t index) const = 0;
};

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_ENCODED_ENCODED_EXAMPLES_H_
