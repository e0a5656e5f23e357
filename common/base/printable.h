// SPDX-License-Identifier: Apache-2.0
// What others wrote, fit for our messages: for a terminal, a log line and a gRPC status. Pure
// functions.
#ifndef CONADV_COMMON_BASE_PRINTABLE_H_
#define CONADV_COMMON_BASE_PRINTABLE_H_

#include <string>

#include "absl/strings/string_view.h"

namespace conadv {

// UTF-8 (RFC 3629) without ASCII's control characters.
bool IsPrintable(absl::string_view bytes);

// `bytes` with every control character, and every byte that is no part of UTF-8, as C spells it: \n
// or \x1b. Printable bytes stay as they are.
std::string Printable(absl::string_view bytes);

}  // namespace conadv

#endif  // CONADV_COMMON_BASE_PRINTABLE_H_
