// SPDX-License-Identifier: Apache-2.0
// What a fuzz target's input may not bring about. A property that does not hold ends the program:
// the engine that runs the target keeps the input. Stateless.
#ifndef CONADV_TESTS_FUZZ_PROPERTY_H_
#define CONADV_TESTS_FUZZ_PROPERTY_H_

#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace conadv::fuzz {

// Says on standard error that `property` does not hold, with `detail`, and aborts.
void Require(bool holds, absl::string_view property, absl::string_view detail = "");

// Fit for a terminal and a log: UTF-8 without control characters, except newline and tab.
bool IsText(absl::string_view bytes);

// `refusal` has this code, and a message that is text, not empty, and not much longer than the
// input that it is about.
void RequireRefusal(const absl::Status& refusal, absl::StatusCode code, size_t input_size);

}  // namespace conadv::fuzz

#endif  // CONADV_TESTS_FUZZ_PROPERTY_H_
