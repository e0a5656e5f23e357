// SPDX-License-Identifier: Apache-2.0
// Early return on an error status.
#ifndef CONADV_COMMON_BASE_STATUS_MACROS_H_
#define CONADV_COMMON_BASE_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#define CONADV_RETURN_IF_ERROR(expression)                                  \
  do {                                                                      \
    if (absl::Status status_ = (expression); !status_.ok()) return status_; \
  } while (false)

#define CONADV_CONCAT_INNER(a, b) a##b
#define CONADV_CONCAT(a, b) CONADV_CONCAT_INNER(a, b)
#define CONADV_ASSIGN_OR_RETURN(declaration, expression) \
  CONADV_ASSIGN_OR_RETURN_IMPL(CONADV_CONCAT(result_, __LINE__), declaration, expression)
#define CONADV_ASSIGN_OR_RETURN_IMPL(result, declaration, expression) \
  auto result = (expression);                                         \
  if (!result.ok()) return result.status();                           \
  declaration = *std::move(result)

#endif  // CONADV_COMMON_BASE_STATUS_MACROS_H_
