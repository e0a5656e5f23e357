// SPDX-License-Identifier: Apache-2.0
// The name that somebody may have meant. A pure function.
#ifndef CONADV_COMMON_BASE_NEAREST_H_
#define CONADV_COMMON_BASE_NEAREST_H_

#include <string>

#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace conadv {

// The name of the smallest edit distance, if that is at most a third of the longer
// name's length, or if one begins with the other; else empty.
std::string Nearest(absl::string_view word, absl::Span<const std::string> names);

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_NEAREST_H_
