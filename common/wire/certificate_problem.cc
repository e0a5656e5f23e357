// SPDX-License-Identifier: Apache-2.0
#include "common/wire/certificate_problem.h"

#include "absl/status/statusor.h"
#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/string_view.h"

namespace conadv {
namespace {

constexpr char kMark[] = "conadv/certificate-problem";
constexpr char kNotTrusted[] =
    "the server's certificate is not trusted, since it is signed by none of the roots in --tls_ca, "
    "or is over or not valid yet; give the roots of the server's --tls_cert, or renew it";
// What gRPC 1.51 and OpenSSL say, and what it means.
constexpr struct {
  const char* says;
  const char* means;
} kProblems[] = {
    {"certificate verify failed", kNotTrusted},
    // A root has the name of the one that signed it, and another key.
    {"asn1 encoding routines", kNotTrusted},
    {"Hostname Verification Check failed",
     "the server's certificate is of another name than the server is called by here; call it by a "
     "name that the certificate has (subjectAltName), or give it one with this name"},
    {"wrong version number",
     "what answers there speaks no TLS; leave --tls_ca away, or give the server --tls_cert"},
};

}  // namespace

absl::Status ExplainCertificateProblem(const absl::Status& status) {
  if (!absl::IsUnavailable(status)) return status;
  for (const auto& problem : kProblems) {
    if (!absl::StrContains(status.message(), problem.says)) continue;
    absl::Status explained = absl::UnavailableError(problem.means);
    explained.SetPayload(kMark, absl::Cord());
    return explained;
  }
  return status;
}

bool IsCertificateProblem(const absl::Status& status) {
  return status.GetPayload(kMark).has_value();
}

}  // namespace conadv
