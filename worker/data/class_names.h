// SPDX-License-Identifier: Apache-2.0
// What a data set's classes are called.
#ifndef CONADV_WORKER_DATA_CLASS_NAMES_H_
#define CONADV_WORKER_DATA_CLASS_NAMES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace conadv {

// The lines of a file, without blanks around them and empty ones at the end; none if there is no
// such file. INVALID_ARGUMENT: an empty line in the middle.
absl::StatusOr<std::vector<std::string>> ReadClassNames(const std::string& path);

// "10 classes: airplane, automobile, … truck", or "10 classes" without names. For a terminal.
std::string DescribeClasses(uint32_t classes, const std::vector<std::string>& names);

}  // namespace conadv

#endif  // CONADV_WORKER_DATA_CLASS_NAMES_H_
