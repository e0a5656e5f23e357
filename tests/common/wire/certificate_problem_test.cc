// SPDX-License-Identifier: Apache-2.0
#include "common/wire/certificate_problem.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace conadv {
namespace {

using ::testing::HasSubstr;

TEST(CertificateProblem, SaysWhatToDoInsteadOfWhatOpenSslSays) {
  const absl::Status status = ExplainCertificateProblem(absl::UnavailableError(
      "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Tls handshake "
      "failed: SSL_ERROR_SSL: error:0A000086:SSL routines::certificate verify failed"));
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_TRUE(IsCertificateProblem(status));
  EXPECT_THAT(status.message(), HasSubstr("--tls_ca"));
}

TEST(CertificateProblem, NothingElseIsOne) {
  for (const absl::Status& status :
       {absl::UnavailableError("Connection refused"),
        absl::InvalidArgumentError("certificate verify failed"), absl::OkStatus()}) {
    EXPECT_EQ(ExplainCertificateProblem(status), status);
    EXPECT_FALSE(IsCertificateProblem(status));
  }
}

}  // namespace
}  // namespace conadv
