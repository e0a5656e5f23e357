// SPDX-License-Identifier: Apache-2.0
// Which conadv this is.
#ifndef CONADV_COMMON_PROGRAM_VERSION_H_
#define CONADV_COMMON_PROGRAM_VERSION_H_

#include "absl/strings/string_view.h"

namespace conadv {

// As in CMakeLists.txt: "MAJOR.MINOR.PATCH".
absl::string_view ProjectVersion();

}  // namespace conadv

#endif  // CONADV_COMMON_PROGRAM_VERSION_H_
