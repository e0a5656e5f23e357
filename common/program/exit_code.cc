// SPDX-License-Identifier: Apache-2.0
#include "common/program/exit_code.h"

#include <string>
#include <utility>

#include "absl/strings/cord.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace conadv {
namespace {

constexpr char kExitCode[] = "conadv/exit-code";

}  // namespace

absl::Status WithExitCode(absl::Status status, int code) {
  status.SetPayload(kExitCode, absl::Cord(absl::StrCat(code)));
  return status;
}

absl::Status UsageError(absl::string_view message) {
  return WithExitCode(absl::InvalidArgumentError(message), kExitUsage);
}

absl::Status AsUsage(absl::Status status) {
  return status.ok() ? status : WithExitCode(std::move(status), kExitUsage);
}

absl::Status StoppedBySignal(int number, absl::string_view message) {
  return WithExitCode(absl::CancelledError(message), ExitCodeOfSignal(number));
}

absl::Status Reworded(const absl::Status& status, absl::string_view message) {
  absl::Status reworded(status.code(), message);
  const std::optional<int> code = GivenExitCode(status);
  return code.has_value() ? WithExitCode(std::move(reworded), *code) : reworded;
}

std::optional<int> GivenExitCode(const absl::Status& status) {
  int code = 0;
  const auto payload = status.GetPayload(kExitCode);
  if (!payload.has_value() || !absl::SimpleAtoi(std::string(*payload), &code)) return std::nullopt;
  return code;
}

int ExitCodeOf(const absl::Status& status) {
  if (status.ok()) return 0;
  if (const std::optional<int> given = GivenExitCode(status)) return *given;
  return absl::IsInvalidArgument(status) || absl::IsNotFound(status) ? kExitNever : kExitError;
}

}  // namespace conadv
