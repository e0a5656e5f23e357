// SPDX-License-Identifier: Apache-2.0
#include "common/wire/status.h"

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "common/base/retry_delay.h"
#include "common/wire/certificate_problem.h"

namespace conadv {
namespace {

constexpr char kPushback[] = "grpc-retry-pushback-ms";
constexpr absl::Duration kLongestPushback = absl::Minutes(1);

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  return grpc::Status(static_cast<grpc::StatusCode>(status.code()), std::string(status.message()));
}

absl::Status FromGrpc(const grpc::Status& status) {
  return ExplainCertificateProblem(
      absl::Status(static_cast<absl::StatusCode>(status.error_code()), status.error_message()));
}

void SendRetryDelay(const absl::Status& status, grpc::CallbackServerContext* context) {
  const std::optional<absl::Duration> delay = RetryDelayOf(status);
  if (!delay.has_value()) return;
  context->AddTrailingMetadata(kPushback, absl::StrCat(absl::ToInt64Milliseconds(*delay)));
}

absl::Status FromGrpc(const grpc::Status& status, const grpc::ClientContext& context) {
  const absl::Status plain = FromGrpc(status);
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto found = metadata.find(kPushback);
  int64_t milliseconds = 0;
  if (plain.ok() || found == metadata.end() ||
      !absl::SimpleAtoi(absl::string_view(found->second.data(), found->second.size()),
                        &milliseconds) ||
      milliseconds < 0) {
    return plain;
  }
  return WithRetryDelay(plain, std::min(absl::Milliseconds(milliseconds), kLongestPushback));
}

}  // namespace conadv
