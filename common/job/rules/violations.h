// SPDX-License-Identifier: Apache-2.0
// Collects the rules that a job breaks, one line each. Used by one thread; a plain value.
#ifndef CONADV_COMMON_JOB_RULES_VIOLATIONS_H_
#define CONADV_COMMON_JOB_RULES_VIOLATIONS_H_

#include <cmath>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"

namespace conadv {

class Violations {
 public:
  // "path: rule, got value" unless `kept`.
  template <class Value>
  void Require(bool kept, absl::string_view path, absl::string_view rule, const Value& value) {
    if (!kept) lines_.push_back(absl::StrCat(path, ": ", rule, ", got ", value));
  }
  // "path: rule", where the value says nothing.
  void Require(bool kept, absl::string_view path, absl::string_view rule) {
    if (!kept) lines_.push_back(absl::StrCat(path, ": ", rule));
  }
  // As Require, for a number that must be finite too.
  template <class Real>
  void RequireReal(bool kept, absl::string_view path, absl::string_view rule, Real value) {
    if (!std::isfinite(value)) {
      Require(false, path, "must be finite", value);
    } else {
      Require(kept, path, rule, value);
    }
  }

  // INVALID_ARGUMENT with every line, or OK.
  absl::Status ToStatus() const {
    if (lines_.empty()) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrJoin(lines_, "\n"));
  }

 private:
  std::vector<std::string> lines_;
};

}  // namespace conadv

#endif  // CONADV_COMMON_JOB_RULES_VIOLATIONS_H_
